"""From values of a row, or of a plain JSON object, to attributes of an item.

A type that is not stated is that of the table's key, else it follows from the value: in JSON the value's own, in a row
of text ``S``. Numbers stay the digits that they are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from core.errors import UnsupportedValue
from steps_impl.activities.dynamodb.values import from_file
from stores.dynamodb import Item, Table

#: DynamoDB's types, and ``JSON``: whatever the text in this column is when it is read as JSON.
AttributeType = Literal["S", "N", "B", "BOOL", "SS", "NS", "BS", "L", "M", "JSON"]
Nulls = Literal["omit", "null"]
_TRUTH = {b"true": True, b"t": True, b"1": True, b"false": False, b"f": False, b"0": False}


class Number(str):
    """A number of JSON as it is written."""

    __slots__ = ()


class ItemForm:
    """Makes items of one table; ``types`` are those that are stated, by the attributes' names."""

    def __init__(self, table: Table, types: Mapping[str, AttributeType], nulls: Nulls) -> None:
        keys: dict[str, Any] = {key.name: key.type for key in table.keys}
        self._types: Mapping[str, AttributeType] = {**keys, **types}
        self._nulls = nulls

    def of_row(self, columns: Sequence[str], row: Sequence[bytes | None]) -> Item:
        """Return the item of a row of text.

        Raises:
            UnsupportedValue: the row has more or fewer values than columns, or a value is none of its type.
        """
        if len(row) != len(columns):
            raise UnsupportedValue(f"the row has {len(row)} values, and there are {len(columns)} columns")
        return self._item({name: self._of_text(name, value) for name, value in zip(columns, row, strict=True)})

    def of_document(self, document: Mapping[str, Any]) -> Item:
        """Return the item of a JSON object; raises as ``of_row``."""
        return self._item({name: self._of_json(name, value) for name, value in document.items()})

    def _item(self, values: Mapping[str, dict[str, Any] | None]) -> Item:
        """Check the values and leave out NULLs, or make them attributes."""
        given: dict[str, Any] = {name: value for name, value in values.items() if value is not None}
        if self._nulls == "null":
            given |= {name: {"NULL": True} for name, value in values.items() if value is None}
        return from_file(given)

    def _of_text(self, name: str, value: bytes | None) -> dict[str, Any] | None:
        kind = self._types.get(name, "S")
        if value is None or (not value and kind != "S"):
            return None
        if kind == "BOOL":
            return {"BOOL": _demand(_TRUTH.get(value.lower()), name, kind)}
        text = _decoded(value, name)
        if kind in ("S", "N", "B"):
            return {kind: text}
        return self._of_json(name, _parsed(text, name))

    def _of_json(self, name: str, value: Any) -> dict[str, Any] | None:
        kind = self._types.get(name, "JSON")
        if value is None:
            return None
        if kind == "JSON":
            return inferred(value)
        if kind in ("S", "N", "B"):
            return {kind: _demand(str(value) if isinstance(value, str) else None, name, kind)}
        if kind == "BOOL":
            return {kind: _demand(value if isinstance(value, bool) else None, name, kind)}
        if kind in ("SS", "NS", "BS"):
            members = value if isinstance(value, list) and all(isinstance(one, str) for one in value) else None
            return {kind: [str(one) for one in _demand(members, name, kind)]}
        return {kind: _demand(inferred(value).get(kind), name, kind)}


def inferred(value: Any) -> dict[str, Any]:
    """Return a value of JSON with the types that it has there."""
    for known, make in _INFERRED.items():
        if isinstance(value, known):
            return make(value)
    return {"NULL": True}


_INFERRED: dict[type, Callable[[Any], dict[str, Any]]] = {
    bool: lambda value: {"BOOL": value},
    Number: lambda value: {"N": str(value)},
    str: lambda value: {"S": value},
    list: lambda value: {"L": [inferred(one) for one in value]},
    dict: lambda value: {"M": {name: inferred(one) for name, one in value.items()}},
}


def read_json(text: str | bytes) -> Any:
    """Return what JSON says, numbers as ``Number``; raises ``ValueError`` or ``RecursionError``."""
    return json.loads(text, parse_int=Number, parse_float=Number, parse_constant=_refused)


def _parsed(text: str, name: str) -> Any:
    try:
        return read_json(text)
    except (ValueError, RecursionError):
        raise UnsupportedValue(f"the value for {name!r} is not JSON") from None


def _decoded(value: bytes, name: str) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise UnsupportedValue(f"the value for {name!r} is not UTF-8") from None


def _demand(value: Any, name: str, kind: str) -> Any:
    if value is None:
        raise UnsupportedValue(f"the value for {name!r} is none of the type {kind}")
    return value


def _refused(word: str) -> None:
    raise ValueError(word)
