r"""Items as rows of a Hive table, in the text that Hive's own LazySimpleSerDe reads and writes.

Values stand between ``\x01``, the members of an array or a map between ``\x02``, a map's keys end with ``\x03``; ``\N``
is NULL; a backslash makes the next character text, and ``\n`` and ``\r`` are line ends (``serialization.escape.crlf``).

What becomes what is as with EMR's storage handler (EMR Release Guide, *Hive command examples*, "Data types"): a value
that does not fit the column's type is NULL, and a NULL is no attribute.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from core.errors import ParameterError, UnsupportedValue
from steps_impl.activities.dynamodb.values import from_file, to_file
from stores.dynamodb import Item

FIELD, MEMBER, KEY, NULL = "\x01", "\x02", "\x03", "\\N"
_ESCAPES = {"\\": "\\\\", FIELD: "\\" + FIELD, MEMBER: "\\" + MEMBER, KEY: "\\" + KEY, "\n": "\\n", "\r": "\\r"}
_SPECIAL = re.compile("[\\\\\x01\x02\x03\n\r]")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_PARTS = {mark: re.compile(rf"((?:[^\\{mark}]|\\.)*)({mark}|\Z)", re.DOTALL) for mark in (FIELD, MEMBER, KEY)}
_LETTERS = {"n": "\n", "r": "\r"}
_INTEGERS = {"tinyint": 7, "smallint": 15, "int": 31, "integer": 31, "bigint": 63}
_FRACTIONS = ("float", "double", "double precision", "decimal", "numeric")
_TEXTS = ("string", "varchar", "char", "date", "timestamp")


@dataclass(frozen=True)
class HiveColumn:
    """A column and the attribute behind it; without one it holds the whole item, name → JSON of the value."""

    name: str
    type: str
    attribute: str | None


class RowForm:
    """Items to rows and back, for a table with these columns.

    Raises:
        ParameterError: a column has a type that no attribute can have.
    """

    def __init__(self, columns: Sequence[HiveColumn]) -> None:
        self.columns = tuple(columns)
        self._codecs = [_codec(column) for column in columns]

    def line(self, item: Item) -> bytes:
        """Return the item as a line, with its end."""
        values = (codec.write(item) for codec in self._codecs)
        return (FIELD.join(NULL if value is None else value for value in values) + "\n").encode()

    def item(self, line: str) -> Item:
        """Return the item that a line of the table stands for.

        Raises:
            UnsupportedValue: a value is none that DynamoDB takes; the message names the column.
        """
        item: Item = {}
        for codec, field in zip(self._codecs, _split(line, FIELD), strict=False):
            if field != NULL:
                codec.read(field, item)
        return item


@dataclass(frozen=True)
class _Codec:
    """How one column is written from an item and read into one."""

    write: Callable[[Item], str | None]
    read: Callable[[str, Item], None]


@dataclass(frozen=True)
class _Scalar:
    """A simple type: the attribute's type letter, text → text of Hive (nothing when it does not fit), and back."""

    kind: str
    to_hive: Callable[[Any], str | None]
    to_attribute: Callable[[str], Any]


def _codec(column: HiveColumn) -> _Codec:
    if column.attribute is None:
        return _Codec(_write_item, _read_item)
    container, inner = _container(column)
    scalar = _scalar(inner, column)
    make = {"": _single, "array": _set, "map": _map}[container]
    return make(column.attribute, scalar)


def _container(column: HiveColumn) -> tuple[str, str]:
    text = re.sub(r"\s+", "", column.type.lower()) if "<" in column.type else column.type.lower().strip()
    if match := re.fullmatch(r"array<([^<>]+)>", text):
        return "array", match[1]
    if match := re.fullmatch(r"map<string,([^<>]+)>", text):
        return "map", match[1]
    return "", text


def _scalar(text: str, column: HiveColumn) -> _Scalar:
    base = text.partition("(")[0].strip()
    if base in _INTEGERS:
        limit = 1 << _INTEGERS[base]
        return _Scalar("N", lambda number: _whole(number, limit), _number)
    if base in _FRACTIONS:
        return _Scalar("N", str, _number)
    if base in _TEXTS:
        return _Scalar("S", _escape, _unescape)
    if base == "boolean":
        return _Scalar("BOOL", lambda value: "true" if value else "false", lambda field: field.lower() == "true")
    if base == "binary":
        return _Scalar("B", str, _base64)
    raise ParameterError(
        f"the column {column.name!r} has the type {column.type}, which is none of DynamoDB's; known are: string, "
        "bigint, double, boolean, binary, array<…> of these and map<string,…>"
    )


def _single(attribute: str, scalar: _Scalar) -> _Codec:
    def write(item: Item) -> str | None:
        value = item.get(attribute, {})
        return scalar.to_hive(value[scalar.kind]) if scalar.kind in value else None

    def read(field: str, item: Item) -> None:
        item[attribute] = {scalar.kind: _converted(scalar, field, attribute)}

    return _Codec(write, read)


def _set(attribute: str, scalar: _Scalar) -> _Codec:
    """Sets of DynamoDB; a list whose members are all of the type is read too."""
    kind = scalar.kind + "S"

    def write(item: Item) -> str | None:
        value = item.get(attribute, {})
        members = value.get(kind) or [member.get(scalar.kind) for member in value.get("L", ())]
        texts = [scalar.to_hive(member) for member in members if member is not None]
        return MEMBER.join(text for text in texts if text is not None) if members else None

    def read(field: str, item: Item) -> None:
        members = (
            [_converted(scalar, text, attribute) for text in _split(field, MEMBER) if text != NULL] if field else []
        )
        if members:
            item[attribute] = (
                {kind: members} if len(scalar.kind) == 1 else {"L": [{scalar.kind: one} for one in members]}
            )

    return _Codec(write, read)


def _map(attribute: str, scalar: _Scalar) -> _Codec:
    def write(item: Item) -> str | None:
        entries = item.get(attribute, {}).get("M")
        if entries is None:
            return None
        texts = ((key, scalar.to_hive(value[scalar.kind])) for key, value in entries.items() if scalar.kind in value)
        return MEMBER.join(f"{_escape(key)}{KEY}{NULL if text is None else text}" for key, text in texts)

    def read(field: str, item: Item) -> None:
        pairs = [_pair(entry) for entry in _split(field, MEMBER)] if field else []
        entries = {key: {scalar.kind: _converted(scalar, text, attribute)} for key, text in pairs if text != NULL}
        item[attribute] = {"M": entries}

    return _Codec(write, read)


def _write_item(item: Item) -> str | None:
    values = to_file(item)
    return MEMBER.join(
        f"{_escape(name)}{KEY}{_escape(json.dumps(value, ensure_ascii=False, separators=(',', ':')))}"
        for name, value in values.items()
    )


def _read_item(field: str, item: Item) -> None:
    pairs = [_pair(entry) for entry in _split(field, MEMBER)] if field else []
    try:
        item |= from_file({name: json.loads(_unescape(text)) for name, text in pairs})
    except (ValueError, RecursionError):
        raise UnsupportedValue('a value of the map of an item is not JSON such as {"s":"x"}') from None


def _pair(entry: str) -> tuple[str, str]:
    key, *rest = _split(entry, KEY)
    return _unescape(key), KEY.join(rest)


def _converted(scalar: _Scalar, field: str, attribute: str) -> Any:
    try:
        return scalar.to_attribute(field)
    except (ValueError, ArithmeticError):
        raise UnsupportedValue(f"a value for the attribute {attribute!r} is none of its type {scalar.kind}") from None


def _whole(number: str, limit: int) -> str | None:
    try:
        value = Decimal(number)
        whole = int(value)
    except (InvalidOperation, ValueError, OverflowError):
        return None
    return str(whole) if whole == value and -limit <= whole < limit else None


def _number(field: str) -> str:
    if not Decimal(field).is_finite():
        raise ValueError
    return field


def _base64(field: str) -> str:
    b64decode(field, validate=True)
    return field


def _escape(text: str) -> str:
    return _SPECIAL.sub(lambda match: _ESCAPES[match[0]], text)


def _unescape(field: str) -> str:
    return _ESCAPED.sub(lambda match: _LETTERS.get(match[1], match[1]), field) if "\\" in field else field


def _split(text: str, separator: str) -> list[str]:
    """Split at separators that no backslash stands before."""
    if "\\" not in text:
        return text.split(separator)
    parts = []
    for match in _PARTS[separator].finditer(text):
        parts.append(match[1])
        if not match[2]:
            break
    return parts
