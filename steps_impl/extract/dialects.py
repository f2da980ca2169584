"""How MySQL and Postgres spell what an incremental or a parallel extract asks: names, literals, digests of rows."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Literal, Protocol

from core.errors import ParameterError, UnsupportedValue
from steps_impl.extract.relation import Relation
from stores import mysql, postgres

#: What kind of values a column is ordered by.
Kind = Literal["integer", "decimal", "date", "timestamp", "text"]
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_MOMENT = re.compile(r"\d{4,6}-\d\d-\d\d( \d\d:\d\d:\d\d(\.\d{1,6})?(\+00)?)?( BC)?")
_FORMS: dict[str, re.Pattern[str]] = {
    "integer": _NUMBER, "decimal": _NUMBER, "date": _MOMENT, "timestamp": _MOMENT,
}  # fmt: skip
#: Not ENUM: MySQL sorts it by the place in its list and compares it as a text.
_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("smallint", "integer", "bigint", "tinyint", "mediumint", "int", "year"), "integer"),
    **dict.fromkeys(("decimal", "numeric"), "decimal"),
    "date": "date",
    **dict.fromkeys(
        ("datetime", "timestamp", "timestamp without time zone", "timestamp with time zone"), "timestamp"
    ),
    **dict.fromkeys(("char", "varchar", "tinytext", "text", "mediumtext", "longtext", "uuid"), "text"),
    **dict.fromkeys(("character", "character varying"), "text"),
}  # fmt: skip
_BASE = re.compile(r"[a-z ]+?(?=\(| unsigned| signed| zerofill|$)")
#: A bound may lie outside the column's own range or size.
_POSTGRES_CASTS = {"character": "bpchar", "character varying": "text", "smallint": "bigint", "integer": "bigint"}


class Dialect(Protocol):
    """The spelling of one server."""

    def quote(self, name: str) -> str:
        """Return an identifier in quotes."""

    def literal(self, value: str, source_type: str) -> str:
        """Return a value that the server has printed, as a literal that compares with a column of this type.

        Raises:
            UnsupportedValue: it is no value of the type.
        """

    def without_order(self, name: str, kind: Kind) -> str:
        """Return the condition for rows whose value has no place in the order: NULL, and what never ends."""

    def digest(self, relation: Relation) -> str:
        """Return an expression for 32 hexadecimal digits that are the same for the same row only."""


def spelled(name: str, columns: Collection[str]) -> str:
    """Return the column that is called so, else the one that is so in another case; ``name`` where none is."""
    if name in columns:
        return name
    return next((column for column in columns if column.lower() == name.lower()), name)


def can_be_ordered(source_type: str) -> bool:
    """Tell whether values of this type are sorted as they compare."""
    return _base(source_type) in _KINDS


def kind_of(name: str, types: dict[str, str], flag: str) -> Kind:
    """Return what kind of values a column has.

    Raises:
        ParameterError: there is no such column, or its values are none that rows can be ordered by.
    """
    if name not in types:
        raise ParameterError(f"{flag} {name}: there is no such column; there are {', '.join(types)}")
    kind = _KINDS.get(_base(types[name]))
    if kind is None:
        raise ParameterError(
            f"{flag} {name}: rows cannot be told apart in order by a {types[name]}; choose an integer, "
            "a decimal, a date, a timestamp or a text"
        )
    return kind


def _base(source_type: str) -> str:
    text = re.sub(r"\(\d+\)(?= with)", "", source_type.lower())  # timestamp(3) with time zone
    found = _BASE.match(text)
    return found[0].strip() if found else text


def _checked(value: str, source_type: str) -> str:
    form = _FORMS.get(_KINDS.get(_base(source_type), "text"))
    if form and not form.fullmatch(value):
        raise UnsupportedValue(f"a {source_type} has no place in an order (NaN, infinite); leave it out by --sql")
    return value


class MySqlDialect:
    """MySQL and MariaDB."""

    quote = staticmethod(mysql.quote_name)

    def literal(self, value: str, source_type: str) -> str:
        """Numbers as they are, moments in quotes, texts in hexadecimal: no sql_mode reads them in another way."""
        kind = _KINDS.get(_base(source_type), "text")
        if kind == "text":
            return f"_utf8mb4 0x{value.encode().hex()}" if value else "''"
        checked = _checked(value, source_type)
        return checked if kind in ("integer", "decimal") else f"'{checked}'"

    def without_order(self, name: str, kind: Kind) -> str:  # noqa: ARG002 - the same for all
        """NULL only: MySQL has no infinite values."""
        return f"{self.quote(name)} IS NULL"

    def digest(self, relation: Relation) -> str:
        """QUOTE tells NULL from the text ``NULL``; the cast spares a quarrel between collations."""
        columns = ", ".join(f"CAST(QUOTE({self.quote(column.name)}) AS BINARY)" for column in relation.columns)
        return f"MD5(CONCAT_WS(',', {columns}))"


class PostgresDialect:
    """Postgres."""

    quote = staticmethod(postgres.quote_name)

    def literal(self, value: str, source_type: str) -> str:
        """Texts in quotes, with the type behind them."""
        base = _base(source_type)
        quoted = "'" + _checked(value, source_type).replace("'", "''") + "'"
        return f"{quoted}::{_POSTGRES_CASTS.get(base, base)}"

    def without_order(self, name: str, kind: Kind) -> str:
        """NULL, and the infinite values: as an upper bound they would end every later run."""
        column = self.quote(name)
        endless = {"date": "'infinity'::date", "timestamp": "'infinity'", "decimal": "'NaN'::numeric"}.get(kind)
        return f"{column} IS NULL" + (f" OR {column} = {endless}" if endless else "")

    def digest(self, relation: Relation) -> str:
        """The text of the row as a composite value tells NULL from an empty text."""
        names: Sequence[str] = [self.quote(column.name) for column in relation.columns]
        return f"md5(ROW({', '.join(names)})::text)"
