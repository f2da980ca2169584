"""From a Postgres column type to the warehouse type that holds every value of it, and to how it is read."""

from __future__ import annotations

import re
from typing import Any

from steps_impl.extract.schema import SUPER

_DOCUMENTS = frozenset({"json", "jsonb"})
_TYPE = re.compile(r"(?P<base>[a-z ]+?)(?:\((?P<size>[\d,-]+)\))?(?P<zone> with(?:out)? time zone)?")
_LONGEST = 65_535  # bytes of a Redshift VARCHAR
_MOST_DIGITS = 38  # digits of a Redshift NUMERIC
_MOST_BEHIND = 37  # of them behind the point
_SAME = frozenset({"smallint", "integer", "bigint", "real", "double precision", "boolean", "date"})
_FIXED_TEXT = {"uuid": 36, "time without time zone": 15, "time with time zone": 21}
_NUMBERS = frozenset({"smallint", "integer", "bigint", "numeric", "real", "double precision"})
#: Types that JSON has a form for, or that a cast to text would change (blanks of CHAR, masks of inet); all others go
#: into JSON as their text.
_JSON = _NUMBERS | {"boolean", "character", "inet"}


def warehouse_type(source_type: str, *, raw_bytes: bool = False, nested: bool = False) -> dict[str, Any]:
    """Return ``{"base": …}`` with ``max_length`` (bytes) or ``precision`` and ``scale``, for ``numeric(12,2)`` etc.

    What has no exact counterpart is text: NUMERIC without a precision or of more than 38 digits, TIME (24:00:00 is
    one), intervals, arrays, JSON that is not to be nested, enumerations, domains.
    """
    base, size = _parts(source_type)
    if base in _SAME:
        return {"base": base}
    if base.startswith("timestamp"):
        return {"base": base}
    if base == "numeric":
        return _numeric(size)
    if nested and base in _DOCUMENTS:
        return SUPER
    if base == "bytea":
        return {"base": "binary varying"} if raw_bytes else _text(_LONGEST)
    if base in ("character", "character varying") and size:
        return _text(4 * int(size))
    return _text(_FIXED_TEXT.get(base, _LONGEST))


def expression(name: str, source_type: str, *, as_json: bool, nested: bool = False) -> str:
    """Return how a column is selected; ``name`` is quoted.

    A ``json`` value is the text that was put in: line ends, which stand between its words only, become blanks.
    """
    base, _ = _parts(source_type)
    if nested and base in _DOCUMENTS:
        return name if base == "jsonb" else f"translate({name}::text, E'\\r\\n', '  ')::json"
    if base == "bytea":
        return f"encode({name}, 'hex')"
    return f"{name}::text" if as_json and base not in _JSON else name


def _parts(source_type: str) -> tuple[str, str]:
    match = _TYPE.fullmatch(source_type)
    return (match["base"] + (match["zone"] or ""), match["size"] or "") if match else (source_type, "")


def _numeric(size: str) -> dict[str, Any]:
    precision, _, scale = size.partition(",")
    digits, behind = int(precision or 0), int(scale or 0)
    if not 0 < digits <= _MOST_DIGITS or not 0 <= behind <= min(digits, _MOST_BEHIND):
        return _text(_LONGEST)
    return {"base": "numeric", "precision": digits, "scale": behind}


def _text(length: int) -> dict[str, Any]:
    return {"base": "character varying", "max_length": min(length, _LONGEST)}
