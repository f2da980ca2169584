"""One canonical text for a value, whichever engine printed it.

MySQL and Redshift print the same number, truth value or time differently; comparing their texts raises false
alarms (a known fault of Dataduct's column check). Both sides are brought to the form that the *target's* type can
hold: what a load loses by definition (digits beyond the scale, blanks that pad a CHAR) is no difference.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_DOWN, Decimal, InvalidOperation, localcontext
from typing import Any

#: Digits that a DECIMAL may have on either engine (MySQL: 65).
DECIMAL_PRECISION = 100
TRUE_WORDS = frozenset({"1", "t", "true", "y", "yes", "on"})
FALSE_WORDS = frozenset({"0", "f", "false", "n", "no", "off"})

_BINARY = bytes | bytearray | memoryview

Normaliser = Callable[[Any], str | None]


def normaliser(target_type: str, rounding: str = ROUND_DOWN) -> Normaliser:
    """Return the function that brings values to the canonical text of a Redshift type such as ``decimal(12,2)``.

    The function takes ``None``, text, bytes (UTF-8) or a Python value as a driver returns it; a value that is not
    of the type at all is returned as its own text, so that it differs from every proper one. ``rounding`` is what the
    load did with digits beyond the scale (``decimal``'s names): COPY cuts them off unless told to round.
    """
    kind, _, arguments = target_type.strip().lower().partition("(")
    kind = kind.strip()
    after = arguments.partition(")")[2].strip()
    numbers = [int(n) for n in re.findall(r"\d+", arguments.partition(")")[0])]
    convert = _converter(f"{kind} {after}".strip(), numbers, rounding)

    def normalise(value: Any) -> str | None:
        if value is None:
            return None
        plain = bytes(value).decode("utf-8", "backslashreplace") if isinstance(value, _BINARY) else value
        try:
            return convert(plain)
        except (ValueError, ArithmeticError, InvalidOperation):
            return f"?{plain}"

    return normalise


def _converter(kind: str, arguments: list[int], rounding: str) -> Normaliser:
    if kind in {"smallint", "int2", "integer", "int", "int4", "bigint", "int8"}:
        return _integer
    if kind in {"decimal", "numeric"}:
        scale = arguments[1] if len(arguments) > 1 else 0
        return lambda value: _decimal(value, scale, rounding)
    if kind in {"real", "float4"}:
        return _single
    if kind in {"double precision", "float", "float8", "double"}:
        return lambda value: repr(float(value))
    if kind in {"boolean", "bool"}:
        return _boolean
    if kind == "date":
        return lambda value: None if _is_zero(value) else _moment(value)[:10]
    if kind.startswith("timestamp"):
        return lambda value: None if _is_zero(value) else _moment(value)
    if kind.startswith("time"):
        return _clock_time
    if kind in {"char", "character", "nchar", "bpchar"}:
        return lambda value: str(value).rstrip(" ")
    return _json if kind == "super" else _text


def _integer(value: Any) -> str:
    return str(int(value)) if not isinstance(value, str) else str(int(value.strip()))


def _decimal(value: Any, scale: int, rounding: str) -> str:
    with localcontext() as context:
        context.prec = DECIMAL_PRECISION
        number = Decimal(str(value)).quantize(Decimal(1).scaleb(-scale), rounding=rounding)
        return format(abs(number) if number.is_zero() else number, "f")


def _single(value: Any) -> str:
    number = float(value)
    if math.isinf(number) or math.isnan(number):
        return repr(number)
    return repr(struct.unpack("f", struct.pack("f", number))[0])


def _boolean(value: Any) -> str:
    word = str(value).strip().lower() if not isinstance(value, bool) else str(value).lower()
    if word in TRUE_WORDS or word == "\x01":
        return "true"
    if word in FALSE_WORDS or word == "\x00":
        return "false"
    raise ValueError(word)


def _is_zero(value: Any) -> bool:
    """Tell MySQL's zero date, of which a load into a date or timestamp can make nothing but NULL."""
    return isinstance(value, str) and value.startswith("0000-00-00")


def _moment(value: Any) -> str:
    if isinstance(value, datetime):
        in_utc = value.astimezone(UTC) if value.tzinfo else value
        return _trim(in_utc.replace(tzinfo=None).isoformat(sep=" "))
    if isinstance(value, date):
        return f"{value.isoformat()} 00:00:00"
    text = str(value).strip().replace("T", " ")
    if not re.match(r"\d{4}-\d{2}-\d{2}", text):
        raise ValueError(text)
    text = re.sub(r"(Z|[+-]00(:?00)?)$", "", text) if len(text) > 10 else f"{text} 00:00:00"
    return _trim(text)


def _clock_time(value: Any) -> str:
    if isinstance(value, timedelta):
        seconds = value.days * 86_400 + value.seconds
        return _trim(f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{value.microseconds:06d}")
    return _trim(value.replace(tzinfo=None).isoformat() if isinstance(value, time) else str(value).strip())


def _json(value: Any) -> str | None:
    """SUPER keeps what a JSON text says, not its blanks; a driver may hand out the text or what it says.

    A JSON null is taken as NULL: such a driver shows both in one way.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:  # a JSON string that the driver has unpacked
            return json.dumps(value)
    return None if value is None else json.dumps(value, sort_keys=True)


def _text(value: Any) -> str:
    if isinstance(value, datetime | date | time | timedelta):
        return _clock_time(value) if isinstance(value, timedelta | time) else _moment(value)
    return str(value)


def _trim(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
