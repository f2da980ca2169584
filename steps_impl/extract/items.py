r"""Items of DynamoDB as lines of files: plain JSON, JSON with types, or rows of the attributes that are named.

Numbers keep their digits and binary values are base64 everywhere. A set becomes a list in plain JSON; in a row, sets
and documents are JSON texts, and both an attribute of type NULL and one that is not there are ``\N``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

from core.errors import UnsupportedValue
from steps_impl.formats import FORMATS
from stores.dynamodb import Item

ItemsFormat = Literal["json", "dynamodb-json", "tsv", "csv"]
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?")
_TRUTH = {True: "true", False: "false"}


def lines_of(form: ItemsFormat, columns: Sequence[str] | None) -> Callable[[Sequence[Item]], bytes]:
    """Return what makes lines of items; with ``columns`` only these attributes are in them.

    It raises ``UnsupportedValue`` for a NUL byte in a row: the warehouse takes it for the end of a record.
    """
    if form in ("tsv", "csv"):
        names = tuple(columns or ())
        encode = FORMATS[form].encode
        return lambda items: encode([[_cell(name, item.get(name)) for name in names] for item in items])
    line = _plain_line if form == "json" else _typed_line
    kept = None if columns is None else frozenset(columns)
    return lambda items: "".join(line(_chosen(item, kept)) for item in items).encode()


def _chosen(item: Item, kept: frozenset[str] | None) -> Item:
    return item if kept is None else {name: value for name, value in item.items() if name in kept}


def _typed_line(item: Item) -> str:
    return json.dumps(item, ensure_ascii=False, separators=(",", ":")) + "\n"


def _plain_line(item: Item) -> str:
    return _object(item) + "\n"


def plain(value: Mapping[str, Any]) -> str:
    """Return an attribute's value as plain JSON."""
    [(kind, content)] = value.items()
    return _PLAIN[kind](content)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _number(text: str) -> str:
    return text if _JSON_NUMBER.fullmatch(text) else str(Decimal(text))


def _array(values: Sequence[str]) -> str:
    return f"[{','.join(values)}]"


def _object(values: Mapping[str, Mapping[str, Any]]) -> str:
    return f"{{{','.join(f'{_text(name)}:{plain(value)}' for name, value in values.items())}}}"


_PLAIN: dict[str, Callable[[Any], str]] = {
    "S": _text,
    "N": _number,
    "B": _text,
    "BOOL": _TRUTH.__getitem__,
    "NULL": lambda _: "null",
    "SS": lambda members: _array([_text(member) for member in members]),
    "NS": lambda members: _array([_number(member) for member in members]),
    "BS": lambda members: _array([_text(member) for member in members]),
    "L": lambda members: _array([plain(member) for member in members]),
    "M": _object,
}


def _cell(name: str, value: Mapping[str, Any] | None) -> bytes | None:
    if value is None or "NULL" in value:
        return None
    [(kind, content)] = value.items()
    text = str(content) if kind in ("S", "N", "B") else plain(value)
    if "\0" in text:
        raise UnsupportedValue(f"the attribute {name!r} has a NUL byte (0x00) in its text; extract it as JSON")
    return text.encode()
