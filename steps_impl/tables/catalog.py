"""The table in the warehouse: what it looks like, and how it is made when it is missing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from core.errors import DefinitionError
from core.sections.creation import DatabaseSettings
from steps_impl.tables.compare import ActualColumn, made_by_warehouse
from steps_impl.tables.grants import access_statements
from steps_impl.tables.model import Column, Identity, Table, TableName
from steps_impl.tables.render import ddl
from steps_impl.tables.types import ColumnType, column_type
from stores.redshift import Session, Statement

#: ``svv_columns`` shows every schema, unlike ``pg_table_def``, which knows only the ``search_path``.
_COLUMNS = """SELECT column_name, data_type, character_maximum_length, numeric_precision, numeric_scale,
is_nullable, column_default
FROM svv_columns
WHERE table_schema = {schema} AND table_name = %s
ORDER BY ordinal_position"""

_PRIMARY = """SELECT k.column_name FROM information_schema.table_constraints c
JOIN information_schema.key_column_usage k ON k.constraint_name = c.constraint_name
AND k.table_schema = c.table_schema AND k.table_name = c.table_name
WHERE c.constraint_type = 'PRIMARY KEY' AND c.table_schema = {schema} AND c.table_name = %s
ORDER BY k.ordinal_position"""


def columns_statement(name: TableName) -> Statement:
    """Return the query for a table's columns, in order."""
    return _look_up(_COLUMNS, "columns", name)


def actual_columns(session: Session, name: TableName) -> tuple[ActualColumn, ...]:
    """Return the columns of a table as they are in the warehouse; empty when there is no such table."""
    rows = session.rows(columns_statement(name))
    return tuple(ActualColumn(str(row[0]), _type(str(row[1]), *row[2:5]), row[5] == "NO", row[6]) for row in rows)


def primary_key(session: Session, name: TableName) -> tuple[str, ...]:
    """Return the columns of a table's primary key in their order; none where it has none."""
    return tuple(str(row[0]) for row in session.rows(_look_up(_PRIMARY, "primary key", name)))


def as_table(name: TableName, there: Iterable[ActualColumn]) -> Table:
    """Return a table of the warehouse as a definition would describe its columns; its keys are not looked at."""
    return Table(name, tuple(_column(column) for column in there))


def _column(there: ActualColumn) -> Column:
    made = made_by_warehouse(there)
    identity = Identity(1, 1, by_default=made == "by default") if made else None
    return Column(there.name, there.type, there.not_null, None if made else there.default, identity)


def create_statements(table: Table, database: DatabaseSettings) -> list[Statement]:
    """Return what makes a missing table: its definition, the configured grants, its owner."""
    # Without IF NOT EXISTS: a table that another writer made meanwhile must be locked before it is read.
    create = Statement(ddl(replace(table, if_not_exists=False)), f"create table {table.name}")
    return [create, *access_statements(table.name, database)]


def _look_up(query: str, what: str, name: TableName) -> Statement:
    """Return a query of the catalog about a table, without a schema about the one that its name means."""
    text = query.format(schema="%s" if name.schema else "CURRENT_SCHEMA()")
    return Statement(text, f"look up the {what} of {name}", (*([name.schema] if name.schema else []), name.name))


def _type(name: str, length: Any, precision: Any, scale: Any) -> ColumnType:
    arguments: tuple[int, ...] = ()
    if name == "numeric":
        arguments = (int(precision), int(scale))
    elif length is not None:
        arguments = (int(length),)
    try:
        found = column_type(name, arguments)
        return found if arguments else ColumnType(found.name)  # the catalog does not tell the length of a VARBYTE
    except DefinitionError:  # a type that no definition can name: it is compared, and shown, as the catalog calls it
        return ColumnType(name, arguments)
