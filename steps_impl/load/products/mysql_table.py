"""A MySQL table as it is there: what decides how rows can be put into it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.errors import NotFound, ParameterError
from steps_impl.activities.copying.mysql_bulk import Column, columns_of
from steps_impl.load.products.table import ProductTable
from stores.mysql.connection import quote_name, split_table
from stores.mysql.documents import json_columns
from stores.mysql.target import Target, literal

_TABLES = "SELECT table_schema, table_name, table_type, engine FROM information_schema.tables WHERE {here}"
_TRANSACTIONAL = "SELECT transactions FROM information_schema.engines WHERE engine = {engine}"
_KEYS = """SELECT index_name, column_name, sub_part FROM information_schema.statistics
WHERE {here} AND non_unique = 0 ORDER BY index_name = 'PRIMARY' DESC, index_name, seq_in_index"""
_TRIGGERS = """SELECT trigger_name FROM information_schema.triggers
WHERE event_object_schema = {schema} AND event_object_table = {table}"""
_FOREIGN = """SELECT constraint_name FROM information_schema.referential_constraints
WHERE constraint_schema = {schema} AND table_name = {table}"""
_REFERENCING = """SELECT table_name, delete_rule FROM information_schema.referential_constraints
WHERE unique_constraint_schema = {schema} AND referenced_table_name = {table}"""
#: What a deletion of a row does to the rows that refer to it, where it does something.
_SPREADING = frozenset({"CASCADE", "SET NULL", "SET DEFAULT"})


@dataclass(frozen=True)
class UniqueKey:
    """A unique index; ``whole`` unless it is over the beginnings of its columns."""

    name: str
    columns: tuple[str, ...]
    whole: bool


@dataclass(frozen=True)
class MySqlTable(ProductTable):
    """A base table."""

    kind: str
    transactional: bool
    columns: dict[str, Column]
    #: The number of its unique keys, also of those over the beginnings of columns.
    keys: int
    triggers: tuple[str, ...]
    foreign: tuple[str, ...]
    #: Tables whose foreign keys refer to this one.
    referencing: tuple[str, ...]

    @property
    def sql(self) -> str:
        """The quoted name."""
        return f"{quote_name(self.schema)}.{quote_name(self.name)}"

    def against_swapping(self) -> list[str]:
        """Return what would be lost or left behind if another table took this one's name."""
        reasons = [f"the trigger {name}" for name in self.triggers]
        reasons += [f"the foreign key {name}" for name in self.foreign]
        reasons += [f"the foreign key of {name}" for name in self.referencing]
        return [*reasons, "the history of its rows"] if self.kind == "SYSTEM VERSIONED" else reasons

    def takes_any_order(self, loaded: tuple[str, ...]) -> bool:
        """Tell whether rows may come in any order: nothing numbers them, weighs one against another or is set off."""
        numbered = any(column.counts for column in self.columns.values() if column.name not in loaded)
        return self.keys == 1 and not numbered and not self.triggers


def look(target: Target, table: str) -> MySqlTable:
    """Return a table as the server describes it.

    Raises:
        NotFound: it is not there, or this user may not see it.
        ParameterError: it is a view, or no database is known.
    """
    database, name = split_table(table)
    database = database or target.rows("SELECT DATABASE()")[0][0]
    if database is None:
        raise ParameterError(f"--table: write database.table; the entry of {target.where} names no database")
    schema, bare = _text(database), _text(name)
    here = f"table_schema = {schema} AND table_name = {bare}"
    found = target.rows(_TABLES.format(here=here))
    if not found:
        raise NotFound(f"{target.where} has no table {table}; create it, or check the user's grants")
    stored_schema, stored, kind, engine = found[0]
    if kind not in ("BASE TABLE", "SYSTEM VERSIONED"):
        raise ParameterError(f"--table: {table} is a {str(kind).lower()}; load into the table behind it")

    def names(query: str) -> tuple[tuple[str, ...], ...]:
        filled = query.format(here=here, schema=schema, table=bare)
        return tuple(tuple(map(str, row)) for row in target.rows(filled))

    sql = f"{quote_name(str(stored_schema))}.{quote_name(str(stored))}"
    columns = columns_of(target, sql)
    transactional = target.rows(_TRANSACTIONAL.format(engine=_text(engine or "")))
    keys, referencing = _unique_keys(names), names(_REFERENCING)
    return MySqlTable(
        schema=str(stored_schema),
        name=str(stored),
        writable=tuple(column.name for column in columns.values() if not column.generated),
        made=tuple(column.name for column in columns.values() if column.generated),
        primary=next((key.columns for key in keys if key.name == "PRIMARY"), ()),
        unique=tuple(key.columns for key in keys if key.whole),
        spreads=tuple(f"{row[0]} (ON DELETE {row[1]})" for row in referencing if row[1] in _SPREADING),
        kind=str(kind),
        transactional=bool(transactional) and transactional[0][0] == "YES",
        columns=columns,
        keys=len(keys),
        triggers=tuple(row[0] for row in names(_TRIGGERS)),
        foreign=tuple(row[0] for row in names(_FOREIGN)),
        referencing=tuple(row[0] for row in referencing),
    )


def documents_of(target: Target, table: MySqlTable) -> frozenset[str]:
    """Return the columns that hold JSON."""
    types = {column.name: column.type for column in table.columns.values()}
    return json_columns(target.rows, table.sql, types)


def _unique_keys(names: Callable[[str], tuple[tuple[str, ...], ...]]) -> list[UniqueKey]:
    found: dict[str, list[tuple[str, str]]] = {}
    for index, column, part in names(_KEYS):
        found.setdefault(index, []).append((column, part))
    return [
        UniqueKey(index, tuple(column for column, _ in parts), all(part == "None" for _, part in parts))
        for index, parts in found.items()
    ]


def _text(value: str) -> str:
    return literal(value.encode()).decode()
