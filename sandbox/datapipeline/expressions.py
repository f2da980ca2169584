"""Evaluation of ``#{…}`` in the fields of a pipeline definition.

Source: AWS Data Pipeline Developer Guide, *Pipeline expressions and functions*. What it leaves open and how it is
answered here: a field's value is text, so ``+`` joins as soon as one side is text ("non-string values are first
converted to strings") and adds two numbers; ``- * / ^`` read text as a number. Two whole numbers divide to a whole
number, truncated; ``^`` gives a decimal (``2 ^ 2`` is ``4.0``). A list is worked on element by element, several lists
give every combination in order, and ``[#{a}, #{b}]`` gives all elements one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from itertools import pairwise, product
from typing import Protocol

from core.errors import ExpressionInvalid
from sandbox.datapipeline.functions import FUNCTIONS, Scalar, to_text
from sandbox.datapipeline.operators import negate, operate, raise_to
from sandbox.datapipeline.syntax import Call, Chain, Expression, Literal, Negation, Node, Path, Powers, parse_template

#: Guards against definitions whose expressions multiply: values of one expression, and fields looked up for a text.
MAX_VALUES = 10_000
MAX_LOOKUPS = 10_000
MAX_DEPTH = 32
#: Bytes of the result, roughly; the limit of a field lies far below.
MAX_RESULT_LENGTH = 1_000_000


@dataclass(frozen=True, slots=True)
class Ref:
    """A reference to another object."""

    object_id: str


class Verbatim(str):
    """Text that is not evaluated, whatever it holds: an error message, a host name, an id."""

    __slots__ = ()


#: One value while an expression is evaluated.
Value = str | int | float | datetime | Ref


class Scope(Protocol):
    """Where an expression finds the fields and parameters that it names."""

    def field(self, object_id: str | None, name: str) -> list[Value]:
        """Return the raw values of a field; ``None`` is the object that the expression stands in.

        Strings may hold expressions of their own, unless they are ``Verbatim``. An empty list says that there is no
        such field.
        """

    def parameter(self, name: str) -> list[Value]:
        """Return the values of a parameter of the pipeline; an empty list says that there is none."""


def evaluate(text: str, scope: Scope) -> str | list[str]:
    """Return ``text`` with its expressions replaced; a list where an expression names several values.

    Raises:
        ExpressionInvalid: the expression cannot be read, or names a field that is not there.
    """
    if "#{" not in text:
        return text
    values = [_plain(value) for value in _Evaluation(scope).template(text, None, 0)]
    return values[0] if len(values) == 1 else values


def _plain(value: Value) -> str:
    return value.object_id if isinstance(value, Ref) else to_text(value)


class _Evaluation:
    """One call of ``evaluate``, with its budget of look-ups."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._lookups = 0
        self._text = ""

    def template(self, text: str, owner: str | None, depth: int) -> list[Value]:
        """Evaluate a text that stands in a field of ``owner``."""
        parts = parse_template(text)
        outer, evaluated = self._text, []
        for part in parts:
            if isinstance(part, Expression):
                self._text = part.text
                evaluated.append(self._node(part.root, owner, depth))
            else:
                evaluated.append([part])
        self._text = outer
        if len(evaluated) == 1:
            return evaluated[0]
        if _is_bracketed_list(parts):
            lists = zip(parts, evaluated, strict=True)
            return [value for part, values in lists if isinstance(part, Expression) for value in values]
        return list(self._combine(lambda *row: self._join(row), evaluated))

    def _join(self, row: tuple[Value, ...]) -> Value:
        text = "".join(map(_plain, row))
        if len(text) > MAX_RESULT_LENGTH:
            raise self._error(f"the result is longer than {MAX_RESULT_LENGTH} characters")
        return text

    def _node(self, node: Node, owner: str | None, depth: int) -> list[Value]:
        match node:
            case Literal(value):
                return [value]
            case Path(names):
                return self._path(names, owner, depth)
            case Call(name, arguments):
                return self._call(name, [self._node(argument, owner, depth) for argument in arguments])
            case Negation(operand):
                return self._apply(negate, [self._node(operand, owner, depth)])
            case Powers(operands):
                return self._powers([self._node(operand, owner, depth) for operand in operands])
            case Chain(first, rest):
                return self._chain(first, rest, owner, depth)

    def _chain(self, first: Node, rest: tuple[tuple[str, Node], ...], owner: str | None, depth: int) -> list[Value]:
        values = self._node(first, owner, depth)
        for operator, operand in rest:
            right = self._node(operand, owner, depth)
            values = self._apply(lambda left, other, sign=operator: operate(sign, left, other), [values, right])
        return values

    def _powers(self, operands: list[list[Value]]) -> list[Value]:
        values = operands[-1]
        for base in reversed(operands[:-1]):
            values = self._apply(raise_to, [base, values])
        return values

    def _call(self, name: str, arguments: list[list[Value]]) -> list[Value]:
        function = FUNCTIONS.get(name)
        if function is None:
            near = get_close_matches(name, FUNCTIONS, 1)
            raise self._error(f"there is no function {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        if len(arguments) != len(function.arguments):
            raise self._error(f"{name} takes {len(function.arguments)} arguments, not {len(arguments)}")

        def run(*values: Scalar) -> Scalar:
            return function.run(*(convert(value) for convert, value in zip(function.arguments, values, strict=True)))

        return self._apply(run, arguments)

    def _path(self, names: tuple[str, ...], owner: str | None, depth: int) -> list[Value]:
        if names[0] == "node" and len(names) > 2 and names[-1].startswith("@"):
            raise self._error("a runtime field can be read from the node itself only, not from what it refers to")
        values = self._field(owner, names[0], depth) or self._parameter(owner, names[0], depth)
        if not values:
            raise self._error(f"there is no field or parameter {names[0]!r}")
        for before, name in pairwise(names):
            values = [value for target in values for value in self._member(target, before, name, depth)]
        return values

    def _member(self, target: Value, before: str, name: str, depth: int) -> list[Value]:
        if not isinstance(target, Ref):
            raise self._error(f"{before!r} is not a reference, so it has no field {name!r}")
        values = self._field(target.object_id, name, depth)
        if not values:
            raise self._error(f"object {target.object_id!r} has no field {name!r}")
        return values

    def _field(self, owner: str | None, name: str, depth: int) -> list[Value]:
        return self._resolve(self._scope.field(owner, name), owner, depth)

    def _parameter(self, owner: str | None, name: str, depth: int) -> list[Value]:
        return self._resolve(self._scope.parameter(name), owner, depth)

    def _resolve(self, raw: list[Value], owner: str | None, depth: int) -> list[Value]:
        self._lookups += 1
        if depth >= MAX_DEPTH or self._lookups > MAX_LOOKUPS:
            raise self._error("fields refer to each other in a circle or too deeply")
        resolved: list[Value] = []
        for value in raw:
            if isinstance(value, str) and not isinstance(value, Verbatim) and "#{" in value:
                resolved.extend(self.template(value, owner, depth + 1))
            else:
                resolved.append(value)
        return resolved

    def _apply(self, run: Callable[..., Scalar], operands: list[list[Value]]) -> list[Value]:
        def guarded(*row: Value) -> Value:
            try:
                return run(*(value.object_id if isinstance(value, Ref) else value for value in row))
            except (ValueError, OverflowError, ZeroDivisionError) as error:
                raise self._error(str(error)) from None

        return list(self._combine(guarded, operands))

    def _combine(self, run: Callable[..., Value], operands: list[list[Value]]) -> Iterable[Value]:
        count = 1
        for values in operands:
            count *= len(values)
        if count > MAX_VALUES:
            raise self._error(f"its lists combine to more than {MAX_VALUES} values")
        return (run(*row) for row in product(*operands))

    def _error(self, reason: str) -> ExpressionInvalid:
        return ExpressionInvalid(f"Expression {self._text[:120]!r} cannot be evaluated: {reason}")


def _is_bracketed_list(parts: tuple[str | Expression, ...]) -> bool:
    """Tell whether a text is ``[#{a}, #{b}]``: nothing but expressions, commas and one pair of brackets."""
    texts = [part.strip() for part in parts if isinstance(part, str)]
    return len(texts) > 2 and texts[0] == "[" and texts[-1] == "]" and all(text == "," for text in texts[1:-1])
