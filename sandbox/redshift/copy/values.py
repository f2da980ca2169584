"""One field's text as Redshift's COPY reads it for a column's type (Developer Guide, "Data conversion parameters").

Each function returns the text that Postgres takes for the same value, or raises :class:`BadValue` with the code and
the reason of Redshift's "Load error reference".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal, InvalidOperation, Overflow
from typing import Final

from sandbox.redshift.copy.columns import Column
from sandbox.redshift.copy.command import CopyCommand
from sandbox.redshift.copy.faults import BadValue
from sandbox.redshift.copy.moments import date_reader, read_time, timestamp_reader
from sandbox.redshift.errors import unknown

_INTEGER: Final = re.compile(r"[-+]?[0-9]+")
_DECIMAL: Final = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,4})?")
_FLOAT: Final = re.compile(rf"{_DECIMAL.pattern}|[-+]?(?:inf|infinity)|nan", re.IGNORECASE)
_INTEGERS: Final = {"int2": (16, "Short"), "int4": (32, "Integer"), "int8": (64, "Long")}
_TRUE: Final = frozenset({"t", "true", "y", "yes", "1"})
_FALSE: Final = frozenset({"f", "false", "n", "no", "0"})
_EXACT: Final = Context(prec=400)


#: Returns what Postgres takes for the same value; ``None`` is NULL.
Converter = Callable[[str], str | None]


def converter(column: Column, copy: CopyCommand) -> Converter:
    """Return the function that reads the fields of a column that is no text."""
    if column.type in _INTEGERS:
        return _integer(*_INTEGERS[column.type])
    if column.type == "numeric":
        return _decimal(column, ROUND_HALF_UP if copy.round_decimals else ROUND_DOWN)
    if column.type == "date":
        return _leniently(date_reader(copy.date_format), copy)
    if column.type in ("timestamp", "timestamptz"):
        return _leniently(timestamp_reader(column.type == "timestamptz", copy.time_format), copy)
    if column.type not in _OTHERS:
        raise unknown(f"COPY into a column of the type {column.type}")
    return _OTHERS[column.type]


def _leniently(read: Callable[[str], str], copy: CopyCommand) -> Converter:
    """With ACCEPTANYDATE a date that cannot be read is NULL."""
    if not copy.accept_any_date:
        return read

    def convert(text: str) -> str | None:
        try:
            return read(text)
        except BadValue:
            return None

    return convert


def _integer(bits: int, name: str) -> Converter:
    limit = 1 << (bits - 1)

    def convert(text: str) -> str:
        if not _INTEGER.fullmatch(text):
            raise _bad_digit(text, _first_bad(text), name)
        if len(text) > 20 or not -limit <= int(text) < limit:
            raise BadValue(1204, f"Overflow, Type: {name}")
        return text

    return convert


def _first_bad(text: str) -> int:
    matched = re.match(r"[-+]?[0-9]*", text)
    return matched.end() if matched else 0


def _bad_digit(text: str, position: int, name: str) -> BadValue:
    shown = text[position : position + 1]
    tail = f"Pos {position}, Type: {name}"
    return BadValue(1207, f"Invalid digit, Value '{shown}', {tail}", position, f"Invalid digit, {tail}")


def _decimal(column: Column, rounding: str) -> Converter:
    unit, limit = Decimal(1).scaleb(-column.scale), Decimal(10) ** (column.length - column.scale)

    def convert(text: str) -> str:
        if not _DECIMAL.fullmatch(text):
            raise _bad_digit(text, _first_bad(text), "Decimal")
        try:
            number = Decimal(text).quantize(unit, rounding=rounding, context=_EXACT)
        except (InvalidOperation, Overflow):
            number = limit
        if number.copy_abs() >= limit:  # abs() would round to the 28 digits of the current context
            raise BadValue(1204, f"Overflow for NUMERIC({column.length},{column.scale})")
        return format(number, "f")

    return convert


def _float(text: str) -> str:
    if not _FLOAT.fullmatch(text):
        raise BadValue(1208, "Invalid float format or value")
    return text


def _real(text: str) -> str:
    number = float(_float(text))
    if abs(number) != float("inf") and abs(number) > 3.4028235e38:
        raise BadValue(1204, "Overflow for REAL")
    return text


def _double(text: str) -> str:
    if abs(float(_float(text))) == float("inf") and "inf" not in text.lower():
        raise BadValue(1204, "Overflow for DOUBLE PRECISION")
    return text


def _boolean(text: str) -> str:
    word = text.lower()
    if word not in _TRUE and word not in _FALSE:
        raise BadValue(1210, "Unknown boolean format")
    return "t" if word in _TRUE else "f"


def _super(text: str) -> str:
    try:
        json.loads(text)
    except ValueError as error:
        raise BadValue(1224, "Invalid JSON for a SUPER column") from error
    return text


def _binary(text: str) -> str:
    try:
        bytes.fromhex(text)
    except ValueError as error:
        raise BadValue(1207, "Invalid hexadecimal digit, Type: VARBYTE") from error
    return f"\\x{text}"


_OTHERS: Final[dict[str, Converter]] = {
    "float4": _real,
    "float8": _double,
    "bool": _boolean,
    "time": read_time,
    "timetz": read_time,
    "jsonb": _super,
    "bytea": _binary,
}
