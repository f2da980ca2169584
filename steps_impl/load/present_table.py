"""Files into a table that is there already: what the catalog says of it, beside what the files hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from core.errors import NotFound
from steps_impl.load.manifest import LoadInput
from steps_impl.load.staging import load_columns
from steps_impl.tables.catalog import actual_columns, as_table
from steps_impl.tables.drift import DriftPolicy
from steps_impl.tables.model import Column, Table, TableName
from steps_impl.tables.types import ColumnType
from stores.redshift import Session

_VARCHAR = "character varying"


def present_table(session: Session, name: TableName) -> Table:
    """Return the columns of a table as the catalog has them.

    Raises:
        NotFound: there is no such table.
    """
    there = actual_columns(session, name)
    if not there:
        raise NotFound(f"there is no table {name} in {session.where}; create-load-redshift makes a missing one")
    return as_table(name, there)


def wanted_table(table: Table, source: LoadInput, policy: DriftPolicy) -> Table:
    """Return the table as the files need it, as far as the policy changes it and their manifest tells types."""
    types = dict(source.types)
    columns = [_roomier(column, types, policy) for column in table.columns]
    if policy.add_columns:
        columns += [Column(name, types[name]) for name in source.columns or () if name in types and not table.has(name)]
    return replace(table, columns=tuple(columns))


def _roomier(column: Column, types: Mapping[str, ColumnType], policy: DriftPolicy) -> Column:
    kind = types.get(column.name)
    texts = kind is not None and column.type.name == kind.name == _VARCHAR
    if policy.widen and kind is not None and texts and kind.arguments > column.type.arguments:
        return replace(column, type=kind)
    return column


def columns_of_files(table: Table, named: tuple[str, ...] | None, policy: DriftPolicy) -> tuple[str, ...]:
    """Return the columns that the files hold, in their order; all that take values when nobody says.

    With ``keep_extra`` the files may do without columns that can be NULL.

    Raises:
        SchemaMismatch: files and table do not hold the same columns.
    """
    if not named or not policy.keep_extra:
        return load_columns(table, named)
    needed = [column for column in table.columns if column.name in named or column.not_null or column.identity]
    return load_columns(replace(table, columns=tuple(needed)), named)
