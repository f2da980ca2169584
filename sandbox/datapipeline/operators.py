"""The operators ``+ - * / ^`` on single values; their meaning is set out in ``expressions``."""

from __future__ import annotations

import math
import operator

from sandbox.datapipeline.functions import Scalar, to_number, to_text

_LONG = 2**63


def operate(sign: str, left: Scalar, right: Scalar) -> Scalar:
    """Return ``left sign right``.

    Raises:
        ValueError: an operand is not a number, or the result is out of range.
        ZeroDivisionError: the divisor is 0.
    """
    if sign == "+" and not (isinstance(left, int | float) and isinstance(right, int | float)):
        return to_text(left) + to_text(right)
    first, second = to_number(left), to_number(right)
    if sign == "/":
        return _in_range(_divide(first, second))
    compute = {"+": operator.add, "-": operator.sub, "*": operator.mul}[sign]
    return _in_range(compute(first, second))


def raise_to(base: Scalar, exponent: Scalar) -> float:
    """Return ``base ^ exponent``, always a decimal.

    Raises:
        ValueError: an operand is not a number, or the result is out of range.
    """
    return math.pow(to_number(base), to_number(exponent))


def negate(operand: Scalar) -> int | float:
    """Return the number with its sign turned.

    Raises:
        ValueError: the operand is not a number.
    """
    return -to_number(operand)


def _divide(dividend: float, divisor: float) -> int | float:
    if divisor == 0:
        raise ZeroDivisionError("a number is divided by 0")
    if isinstance(dividend, int) and isinstance(divisor, int):
        quotient = abs(dividend) // abs(divisor)
        return quotient if (dividend < 0) == (divisor < 0) else -quotient
    return dividend / divisor


def _in_range(number: float) -> int | float:
    if isinstance(number, int) and not -_LONG <= number < _LONG:
        raise ValueError("the result does not fit in 64 bits")
    if isinstance(number, float) and not math.isfinite(number):
        raise ValueError("the result is not a finite number")
    return number
