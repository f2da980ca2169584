"""A statement with its values in it, for the ways into MySQL that send one text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def bound(statement: str, values: Sequence[Any]) -> str:
    """Return the statement with ``%s`` replaced by literals, as PyMySQL would; without values as it is."""
    if not values:
        return statement
    from pymysql.converters import encoders, escape_item

    return statement % tuple(escape_item(value, "utf8mb4", encoders) for value in values)
