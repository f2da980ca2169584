"""One field's text as Redshift's COPY reads it for a column's type (Developer Guide, "Data conversion parameters").

Each function returns the text that Postgres takes for the same value, or raises :class:`BadValue` with the code and
the reason of Redshift's "Load error reference".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal, InvalidOperation, Overflow
from typing import Final

from sandbox.redshift.copy.columns import Column
from sandbox.redshift.copy.options import CopyCommand
from sandbox.redshift.errors import unknown

_INTEGER: Final = re.compile(r"[-+]?[0-9]+")
_DECIMAL: Final = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,4})?")
_FLOAT: Final = re.compile(rf"{_DECIMAL.pattern}|[-+]?(?:inf|infinity)|nan", re.IGNORECASE)
_DATE: Final = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?: .*)?")
_CLOCK: Final = r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9])(\.[0-9]{1,6})?)?"
_ZONE: Final = r"(Z|UTC|[-+][0-9]{2}(?::?[0-9]{2})?)"
_TIMESTAMP: Final = re.compile(rf"([0-9]{{4}}-[0-9]{{1,2}}-[0-9]{{1,2}})(?:( |T){_CLOCK} ?{_ZONE}?)?")
_TIME: Final = re.compile(rf"{_CLOCK} ?{_ZONE}?")
_INTEGERS: Final = {"int2": (16, "Short"), "int4": (32, "Integer"), "int8": (64, "Long")}
_TRUE: Final = frozenset({"t", "true", "y", "yes", "1"})
_FALSE: Final = frozenset({"f", "false", "n", "no", "0"})
_AUTO_DATES: Final = (
    "%Y%m%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%m/%d/%Y",
    "%m-%d-%Y",
    "%m.%d.%Y",
    "%d-%b-%Y",
    "%d %b %Y",
    "%b %d, %Y",
    "%b %d %Y",
    "%b-%d-%Y",
    "%B %d, %Y",
    "%B %d %Y",
    "%d %B %Y",
)
_EXACT: Final = Context(prec=400)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class BadValue(Exception):
    """A field cannot be loaded; ``public`` is the reason without any of the data."""

    def __init__(self, code: int, reason: str, position: int = 0, public: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.public = public or reason
        self.position = position


Converter = Callable[[str], str]


def converter(column: Column, copy: CopyCommand) -> Converter:
    """Return the function that reads the fields of a column that is no text."""
    if column.type in _INTEGERS:
        return _integer(*_INTEGERS[column.type])
    if column.type == "numeric":
        return _decimal(column, ROUND_HALF_UP if copy.round_decimals else ROUND_DOWN)
    if column.type == "date":
        return lambda text: _date(text, copy.any_date)
    if column.type in ("timestamp", "timestamptz"):
        return _timestamp(column.type == "timestamptz", copy.time_format)
    if column.type not in _OTHERS:
        raise unknown(f"COPY into a column of the type {column.type}")
    return _OTHERS[column.type]


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


def _date(text: str, any_form: bool) -> str:
    match = _DATE.fullmatch(text)
    if match:
        return _calendar(match[1], match[2], match[3])
    if any_form:
        return _parsed_date(text).isoformat()
    reason = "length must be 10 or more" if len(text) < 10 else "expected YYYY-MM-DD"
    raise BadValue(1205, f"Invalid Date Format - {reason}")


def _calendar(year: str, month: str, day: str) -> str:
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError as error:
        raise BadValue(1205, "Invalid Date Format - no such day") from error


def _parsed_date(text: str) -> date:
    for form in _AUTO_DATES:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    raise BadValue(1205, "Invalid Date Format - not recognized by 'auto'")


def _timestamp(zoned: bool, form: str) -> Converter:
    if form.startswith("epoch"):
        return lambda text: _epoch(text, 1000 if form == "epochmillisecs" else 1)

    def convert(text: str) -> str:
        match = _TIMESTAMP.fullmatch(text)
        bad = match is None or (form != "auto" and (match[2] == "T" or (match[7] and not zoned)))
        if match is None or bad:
            shape = "YYYY-MM-DD HH24:MI:SS" + ("OF" if zoned else "")
            raise BadValue(1206, f"Invalid timestamp format or value [{shape}]")
        day = _calendar(*match[1].split("-"))
        clock = f" {match[3]}:{match[4]}:{match[5] or '00'}{match[6] or ''}" if match[3] else ""
        return f"{day}{clock}{match[7] or ''}" if zoned else f"{day}{clock}"

    return convert


def _epoch(text: str, per_second: int) -> str:
    if not re.fullmatch(r"-?[0-9]{1,15}(?:\.[0-9]{1,6})?", text):
        raise BadValue(1206, "Invalid timestamp format or value [epoch]")
    try:
        moment = _EPOCH + timedelta(seconds=float(Decimal(text) / per_second))
    except OverflowError as error:
        raise BadValue(1206, "Invalid timestamp format or value [epoch]") from error
    return moment.isoformat(sep=" ")


def _time(text: str) -> str:
    if not _TIME.fullmatch(text):
        raise BadValue(1206, "Invalid time format or value [HH:MI:SS]")
    return text


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
    "time": _time,
    "timetz": _time,
    "jsonb": _super,
    "bytea": _binary,
}
