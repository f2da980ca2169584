"""From a MySQL column type to the warehouse type that holds every value of it, as UNLOAD's manifest writes types."""

from __future__ import annotations

import re
from typing import Any

_TYPE = re.compile(r"(?P<base>[a-z0-9 ]+?)(?:\((?P<size>[^)]*)\))?(?P<rest>( unsigned| zerofill| signed|/\*.*\*/)*)")
_LONGEST = 65_535  # bytes of a Redshift VARCHAR
_MOST_DIGITS = 38  # digits of a Redshift NUMERIC
_MOST_BEHIND = 37  # of them behind the point
_PLAIN = {
    "tinyint": "smallint",
    "smallint": "smallint",
    "mediumint": "integer",
    "int": "integer",
    "bigint": "bigint",
    "float": "real",
    "double": "double precision",
    "year": "smallint",
    "date": "date",
    "datetime": "timestamp without time zone",
    "timestamp": "timestamp without time zone",
}
_WIDER = {"smallint": "integer", "int": "bigint"}
#: The type of JSON that files hold as a value of their own.
SUPER = {"base": "super"}
_FIXED_TEXT = {"time": 17, "uuid": 36, "inet4": 15, "inet6": 45}


def warehouse_type(mysql_type: str) -> dict[str, Any]:
    """Return ``{"base": …}`` with ``max_length`` (bytes) or ``precision`` and ``scale``, for ``decimal(12,2)`` etc.

    Wider types are chosen where MySQL's do not fit: BIGINT UNSIGNED is numeric(20,0), TIME (up to 838 hours) and
    DECIMAL of more than 38 digits or 37 behind the point are text (with the ``scale`` of the source), CHAR(n) counts
    four bytes a character.
    """
    match = _TYPE.fullmatch(mysql_type.lower())
    if not match:
        return _text(_LONGEST)
    base, size, unsigned = match["base"], match["size"] or "", "unsigned" in match["rest"]
    if base == "decimal":
        return _decimal(size)
    if base == "bit" or (base == "bigint" and unsigned):
        return {"base": "numeric", "precision": 20, "scale": 0}
    if base in _PLAIN:
        return {"base": _WIDER.get(base, _PLAIN[base]) if unsigned else _PLAIN[base]}
    if base in ("char", "varchar") and size:
        return _text(4 * int(size))
    return _text(_FIXED_TEXT.get(base, _LONGEST))


def _decimal(size: str) -> dict[str, Any]:
    precision, _, scale = size.partition(",")
    digits, behind = int(precision or _MOST_DIGITS), int(scale or 0)
    if digits > _MOST_DIGITS or behind > _MOST_BEHIND:
        return {**_text(digits + 2), "scale": behind}
    return {"base": "numeric", "precision": digits, "scale": behind}


def _text(length: int) -> dict[str, Any]:
    return {"base": "character varying", "max_length": min(length, _LONGEST)}
