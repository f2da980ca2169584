"""Attribute values: the wire's form, in which DynamoDB answers, and that of exported files.

The files are what AWS's export tool writes: JSON of Java objects, so that types are spelt as Java's field names,
``{"id": {"s": "x"}, "tags": {"sS": ["a"]}, "gone": {"nULLValue": true}}``. Later versions of that tool spell all of
them in small letters, others in capitals: all are read. (Source: emr-dynamodb-connector, ``DynamoDBItemWritable``,
``AttributeValueSerializer``; aws-java-sdk 1, ``AttributeValue``.)
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from core.errors import UnsupportedValue
from stores.dynamodb import Item

#: DynamoDB's name of a type → the file's.
_WRITTEN = {
    "S": "s",
    "N": "n",
    "B": "b",
    "SS": "sS",
    "NS": "nS",
    "BS": "bS",
    "M": "m",
    "L": "l",
    "BOOL": "bOOL",
    "NULL": "nULLValue",
}
#: The file's name in small letters → DynamoDB's.
_READ = {**{name.lower(): name for name in _WRITTEN}, "nullvalue": "NULL"}
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
#: Digits that a number may have, and the exponents of its first one (Developer Guide, "Data types").
_DIGITS, _LEAST, _MOST = 38, -130, 125
_NESTING = 32  # levels that a document may have ("Service quotas")


def to_file(item: Item) -> dict[str, Any]:
    """Return an item with its types in the spelling of exported files."""
    return {name: _to_file(value) for name, value in item.items()}


def from_file(document: Mapping[str, Any]) -> Item:
    """Return the item that an exported file's object holds, in any of the spellings.

    Raises:
        UnsupportedValue: DynamoDB would not take it; the message names the attribute, not its value.
    """
    return {name: _from_file(value, name, 0) for name, value in document.items()}


def _to_file(value: Mapping[str, Any]) -> dict[str, Any]:
    [(kind, content)] = value.items()
    if kind == "M":
        content = {name: _to_file(inner) for name, inner in content.items()}
    elif kind == "L":
        content = [_to_file(inner) for inner in content]
    return {_WRITTEN[kind]: content}


def _from_file(value: Any, name: str, level: int) -> dict[str, Any]:
    if not isinstance(value, dict) or len(value) != 1:
        raise UnsupportedValue(f'the attribute {name!r} is not of the form {{"s": "text"}}')
    if level > _NESTING:
        raise UnsupportedValue(f"the attribute {name!r} is nested deeper than {_NESTING} levels")
    [(spelling, content)] = value.items()
    kind = _READ.get(spelling.lower())
    if kind is None:
        raise UnsupportedValue(f"the attribute {name!r} is of the unknown type {spelling!r}; known are: {_KNOWN}")
    if kind in _NESTED:
        return {kind: _NESTED[kind](content, name, level)}
    return {kind: _PLAIN[kind](content, name)}


def _text(content: Any, name: str) -> str:
    if not isinstance(content, str):
        raise UnsupportedValue(f"the attribute {name!r} must hold a text")
    return content


def _number(content: Any, name: str) -> str:
    text = _text(content, name)
    if not _NUMBER.fullmatch(text):
        raise UnsupportedValue(f"the attribute {name!r} must hold a number")
    if len(text) > _DIGITS:
        _check_size(text, name)
    return text


def _check_size(text: str, name: str) -> None:
    value = Decimal(text)
    digits = len("".join(map(str, value.as_tuple().digits)).strip("0"))
    if digits > _DIGITS or (digits and not _LEAST <= value.adjusted() <= _MOST):
        raise UnsupportedValue(f"the attribute {name!r} holds a number of more than {_DIGITS} digits, or out of range")


def _binary(content: Any, name: str) -> str:
    text = _text(content, name)
    try:
        b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise UnsupportedValue(f"the attribute {name!r} must hold bytes in base64") from None
    return text


def _truth(content: Any, name: str) -> bool:
    if not isinstance(content, bool):
        raise UnsupportedValue(f"the attribute {name!r} must hold true or false")
    return content


def _set_of(read: Callable[[Any, str], str]) -> Callable[[Any, str], list[str]]:
    def read_set(content: Any, name: str) -> list[str]:
        if not isinstance(content, list) or not content:
            raise UnsupportedValue(f"the attribute {name!r} must hold a set with at least one member")
        return [read(member, name) for member in content]

    return read_set


def _list(content: Any, name: str, level: int) -> list[dict[str, Any]]:
    if not isinstance(content, list):
        raise UnsupportedValue(f"the attribute {name!r} must hold a list")
    return [_from_file(member, name, level + 1) for member in content]


def _map(content: Any, name: str, level: int) -> dict[str, dict[str, Any]]:
    if not isinstance(content, dict):
        raise UnsupportedValue(f"the attribute {name!r} must hold a map")
    return {key: _from_file(member, name, level + 1) for key, member in content.items()}


_KNOWN = ", ".join(_WRITTEN)
_PLAIN: dict[str, Callable[[Any, str], Any]] = {
    "S": _text,
    "N": _number,
    "B": _binary,
    "SS": _set_of(_text),
    "NS": _set_of(_number),
    "BS": _set_of(_binary),
    "BOOL": _truth,
    "NULL": _truth,
}
_NESTED: dict[str, Callable[[Any, str, int], Any]] = {"L": _list, "M": _map}
