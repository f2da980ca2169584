"""Columns of any engine in common terms."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from stores import mysql

Kind = Literal[
    "integer", "decimal", "real", "double", "boolean", "date", "timestamp", "timestamptz", "time",
    "char", "text", "uuid", "binary", "bit", "other",
]  # fmt: skip


@dataclass(frozen=True)
class Column:
    """A column: its name, what it holds, and how many digits behind the point (``None``: any number)."""

    name: str
    kind: Kind
    digits: int | None = None
    #: The type in the engine's own words, for messages.
    type: str = ""
    #: Whether the engine holds its texts as UTF-8, so that nothing is to be converted.
    utf8: bool = False


_MYSQL: dict[str, Kind] = {
    **dict.fromkeys(("tinyint", "smallint", "mediumint", "int", "bigint", "year"), "integer"),
    "decimal": "decimal",
    "float": "real",
    "double": "double",
    "date": "date",
    "datetime": "timestamp",
    "timestamp": "timestamptz",
    "time": "time",
    "bit": "bit",
    **dict.fromkeys(("varchar", "char", "enum", "set", "tinyblob", "mediumblob", "longblob", "blob"), "text"),
}
_WITH_FRACTION = frozenset({"decimal", "timestamp", "timestamptz", "time"})
_POSTGRES: dict[str, Kind] = {
    **dict.fromkeys(("smallint", "integer", "bigint", "oid"), "integer"),
    "numeric": "decimal",
    "real": "real",
    "double precision": "double",
    "boolean": "boolean",
    "date": "date",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
    "time without time zone": "time",
    "character": "char",
    **dict.fromkeys(("character varying", "text", "name", "json", "enum"), "text"),
    "uuid": "uuid",
    **dict.fromkeys(("bytea", "binary varying", "varbyte"), "binary"),
}
_TYPE = re.compile(r"(?P<name>[a-z_ ]+?)\s*(?:\((?P<numbers>[\d, ]+)\))?(?P<rest>[a-z ]*)(?P<array>\[\])*")


def mysql_column(column: mysql.Column, utf8: Collection[int]) -> Column:
    """Return a column of MySQL; binary ones by their character set, UTF-8 by the numbers of its collations."""
    kind: Kind = "binary" if column.is_binary else _MYSQL.get(column.type, "other")
    digits = column.scale if kind in _WITH_FRACTION else None
    return Column(column.name, kind, digits, column.type, kind == "text" and column.charset in utf8)


def postgres_column(name: str, type_name: str, *, utf8: bool = True) -> Column:
    """Return a column of Postgres or Redshift from its type as ``format_type`` writes it."""
    match = _TYPE.fullmatch(type_name)
    if match is None or match["array"]:
        return Column(name, "other", None, type_name)
    kind = _POSTGRES.get(f"{match['name']}{match['rest']}".strip(), "other")
    return Column(name, kind, _digits(kind, match["numbers"]), type_name, utf8)


def _digits(kind: Kind, numbers: str | None) -> int | None:
    given = [int(number) for number in (numbers or "").split(",") if number.strip()]
    if kind == "decimal":
        return None if not given else given[1] if len(given) > 1 else 0
    return (given[0] if given else 6) if kind in _WITH_FRACTION else None
