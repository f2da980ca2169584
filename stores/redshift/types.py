"""The lengths and digits of a column's type, as ``format_type`` takes them."""

from __future__ import annotations

from typing import Any

_NUMERIC = 1700
_LENGTHS = frozenset({1042, 1043})
_UNLIMITED = 65535


def type_modifier(column: Any) -> int:
    """Rebuild what psycopg2 has taken apart: ``varchar(n)`` and ``numeric(p,s)`` keep their lengths; else -1."""
    if column.precision is not None and column.scale is not None and column.type_code == _NUMERIC:
        return ((column.precision << 16) | (column.scale & 0x7FF)) + 4 if column.precision < _UNLIMITED else -1
    if column.internal_size and column.internal_size > 0 and column.type_code in _LENGTHS:
        return int(column.internal_size) + 4
    return -1
