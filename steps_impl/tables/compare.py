"""Is the table there the table that was defined? By names, types and order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from core.errors import SchemaMismatch
from steps_impl.tables.model import Column, Table
from steps_impl.tables.types import ColumnType


@dataclass(frozen=True)
class ActualColumn:
    """A column as the warehouse's catalog has it."""

    name: str
    type: ColumnType
    not_null: bool = False
    default: str | None = None


def made_by_warehouse(column: ActualColumn) -> Literal["always", "by default"] | None:
    """Tell whether a column is IDENTITY: ``svv_columns`` shows the function that fills it as its default."""
    default = (column.default or "").replace('"', "")
    if default.startswith("default_identity("):
        return "by default"
    return "always" if default.startswith("identity(") else None


def missing(table: Table, actual: Sequence[ActualColumn]) -> list[Column]:
    """Return the defined columns that are not there."""
    there = {column.name for column in actual}
    return [column for column in table.columns if column.name not in there]


def additional(table: Table, actual: Sequence[ActualColumn]) -> list[ActualColumn]:
    """Return the columns that are there and not defined."""
    return [column for column in actual if not table.has(column.name)]


def changed(table: Table, actual: Sequence[ActualColumn]) -> list[tuple[Column, ActualColumn]]:
    """Return the columns that are there with another type than the defined one."""
    both = [(table.column(column.name), column) for column in actual if table.has(column.name)]
    in_order = sorted(both, key=lambda pair: table.column_names.index(pair[0].name))
    return [(defined, there) for defined, there in in_order if not _same(defined.type, there.type)]


def _same(defined: ColumnType, there: ColumnType) -> bool:
    """Tell whether a type is the one that is there, as far as the catalog tells."""
    return defined == there or (defined.name == there.name and not there.arguments)


def misplaced(table: Table, actual: Sequence[ActualColumn]) -> list[str]:
    """Return, in words, where the columns that both have stand in another order; nothing when they do not."""
    there = [column.name for column in actual if table.has(column.name)]
    defined = [name for name in table.column_names if name in there]
    if defined == there:
        return []
    at = next(index for index, pair in enumerate(zip(defined, there, strict=True)) if pair[0] != pair[1])
    return [f"the columns are in another order: number {at + 1} is {there[at]!r}, defined as {defined[at]!r}"]


def refuse(table: Table, found: Sequence[str]) -> None:
    """Refuse a table for what was found, if anything was.

    Raises:
        SchemaMismatch: lists all of it.
    """
    if found:
        raise SchemaMismatch(
            f"table {table.name} is not as defined: {'; '.join(found)}; change the definition or alter the table"
        )
