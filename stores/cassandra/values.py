"""Texts to the driver's values, by the types that a prepared statement has; collections and user types are JSON."""

from __future__ import annotations

import ipaddress
import json
import math
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from core.extras import optional

Converter = Callable[[str], Any]

_INTEGER = re.compile(r"[+-]?[0-9]+")
_FLOAT = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf(?:inity)?|nan)", re.IGNORECASE | re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?", re.ASCII)
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?)?\s*(Z|UTC|[+-]\d\d(?::?\d\d)?)?",
    re.IGNORECASE | re.ASCII,
)
_BLOB = re.compile(r"(?:0x|\\x)?((?:[0-9a-f]{2})*)", re.IGNORECASE)
_BITS = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}
_WORDS = {"true": True, "t": True, "1": True, "yes": True, "false": False, "f": False, "0": False, "no": False}
_LARGEST_FLOAT = (2 - 2**-23) * 2.0**127
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BadValue(Exception):
    """A text that is no value of its type; the message says what it should be, without the text."""


def converter(kind: Any) -> Converter:
    """Return what makes values of a type (a class of ``cassandra.cqltypes``).

    Raises:
        NotImplementedError: texts are not read as this type (counters, durations).
    """
    name = kind.typename
    if name == "frozen":
        return converter(kind.subtypes[0])
    if name in _BITS:
        return _integer(_BITS[name])
    if name in _SIMPLE:
        return _SIMPLE[name]
    return _nested(kind)


def _nested(kind: Any) -> Converter:
    made = _json_converter(kind)
    return lambda text: made(_loaded(text))


def _json_converter(kind: Any) -> Callable[[Any], Any]:
    """Return what makes values of a type from what stands in JSON."""
    name, parts = kind.typename, kind.subtypes
    if name == "frozen":
        return _json_converter(parts[0])
    if name in ("list", "set", "vector") or kind.__name__.startswith("VectorType"):
        inner = kind.subtype if not parts else parts[0]
        return _sequence(_json_converter(inner))
    if name == "map":
        return _map(_json_converter(parts[0]), _json_converter(parts[1]))
    if hasattr(kind, "fieldnames") and kind.fieldnames:
        return _user_type({n: _json_converter(part) for n, part in zip(kind.fieldnames, parts, strict=True)})
    if name == "tuple":
        return _tuple([_json_converter(part) for part in parts])
    if name not in _SIMPLE and name not in _BITS:
        raise NotImplementedError(name)
    return _scalar(converter(kind))


def _scalar(made: Converter) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        if isinstance(value, bool):
            return made(str(value).lower())
        if isinstance(value, str):  # numbers are kept as texts
            return made(value)
        if value is None:
            raise BadValue("a list, set or map holds no NULL")
        raise BadValue("a list, set, map or user type holds single values where its type does")

    return convert


def _sequence(made: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        if not isinstance(value, list):
            raise BadValue("it should be a JSON array")
        return [made(item) for item in value]

    return convert


def _tuple(parts: list[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        if not isinstance(value, list) or len(value) != len(parts):
            raise BadValue(f"it should be a JSON array of {len(parts)}")
        return tuple(None if item is None else made(item) for made, item in zip(parts, value, strict=True))

    return convert


def _map(key: Callable[[Any], Any], item: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        if not isinstance(value, dict):
            raise BadValue("it should be a JSON object")
        return {key(name): item(inner) for name, inner in value.items()}

    return convert


def _user_type(fields: Mapping[str, Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        if not isinstance(value, dict) or not value.keys() <= fields.keys():
            raise BadValue(f"it should be a JSON object with {', '.join(fields)}")
        given = ((made, value.get(name)) for name, made in fields.items())
        return tuple(None if inner is None else made(inner) for made, inner in given)

    return convert


def _loaded(text: str) -> Any:
    try:
        return json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        raise BadValue("it should be JSON") from None


def _integer(bits: int | None) -> Callable[[str], int]:
    limit = 1 << (bits - 1) if bits else 0

    def convert(text: str) -> int:
        if not _INTEGER.fullmatch(text) or len(text) > 4000:
            raise BadValue("it should be a whole number")
        number = int(text)
        if bits and not -limit <= number < limit:
            raise BadValue(f"it should fit into {bits} bits")
        return number

    return convert


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text) if "_" not in text else Decimal("nan")
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite():
        raise BadValue("it should be a decimal number")
    return number


def _double(text: str) -> float:
    if not _FLOAT.fullmatch(text):
        raise BadValue("it should be a number, NaN or Infinity")
    return float(text)


def _float(text: str) -> float:
    number = _double(text)
    if math.isfinite(number) and abs(number) > _LARGEST_FLOAT:
        raise BadValue("it should fit into 32 bits")
    return number


def _boolean(text: str) -> bool:
    if text.lower() not in _WORDS:
        raise BadValue("it should be true or false")
    return _WORDS[text.lower()]


def _uuid(text: str) -> uuid.UUID:
    if not _UUID.fullmatch(text):
        raise BadValue("it should be a UUID")
    return uuid.UUID(text)


def _timeuuid(text: str) -> uuid.UUID:
    if (value := _uuid(text)).version != 1:
        raise BadValue("it should be a UUID of version 1")
    return value


def _blob(text: str) -> bytes:
    if not (match := _BLOB.fullmatch(text)):
        raise BadValue("it should be hexadecimal digits")
    return bytes.fromhex(match[1])


def _inet(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise BadValue("it should be an address of IPv4 or IPv6") from None


def _text(text: str) -> str:
    return text


def _ascii(text: str) -> str:
    if not text.isascii():
        raise BadValue("it should be ASCII")
    return text


def milliseconds(text: str) -> int:
    """Return a timestamp (ISO 8601, without a zone UTC; or milliseconds since 1970) as milliseconds since 1970.

    Raises:
        BadValue: it is none, or has digits behind the millisecond, which Cassandra would drop.
    """
    if _INTEGER.fullmatch(text) and len(text) > 4:
        return _integer(64)(text)
    match = _MOMENT.fullmatch(text)
    if not match:
        raise BadValue("it should be a timestamp, as 2026-01-31 12:00:00.000+00:00")
    day, clock, fraction, zone = match.groups()
    digits = (fraction or "").ljust(3, "0")
    if digits[3:].strip("0"):
        raise BadValue("a timestamp ends at the millisecond; round it in the query that extracts it")
    zone = "+00:00" if (zone or "Z").upper() in ("Z", "UTC") else zone
    zone = zone if len(zone) != 3 else f"{zone}:00"
    try:
        moment = datetime.fromisoformat(f"{day}T{clock or '00:00'}{zone}")
    except ValueError:
        raise BadValue("it should be a day of the calendar and a time of the day") from None
    whole = moment - _EPOCH
    return (whole.days * 86_400 + whole.seconds) * 1000 + int(digits[:3])


def _date(text: str) -> Any:
    try:
        day = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        day = None
    if day is None:
        raise BadValue("it should be a date, as 2026-01-31")
    return optional("cassandra.util").Date(day)


def _time(text: str) -> Any:
    if not _TIME.fullmatch(text):
        raise BadValue("it should be a time of the day, as 23:59:59.000000000")
    return optional("cassandra.util").Time(text)


_SIMPLE: Mapping[str, Converter] = {
    "text": _text,
    "varchar": _text,
    "ascii": _ascii,
    "varint": _integer(None),
    "decimal": _decimal,
    "double": _double,
    "float": _float,
    "boolean": _boolean,
    "uuid": _uuid,
    "timeuuid": _timeuuid,
    "timestamp": milliseconds,
    "date": _date,
    "time": _time,
    "blob": _blob,
    "inet": _inet,
}
