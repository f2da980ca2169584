"""Is the table there the table that was defined? By names, types and order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import SchemaMismatch
from steps_impl.tables.model import Table
from steps_impl.tables.types import ColumnType


@dataclass(frozen=True)
class ActualColumn:
    """A column as the warehouse's catalog has it."""

    name: str
    type: ColumnType


def differences(table: Table, actual: Sequence[ActualColumn]) -> list[str]:
    """Return what differs, one short sentence each; nothing when the table is as defined."""
    there = {column.name: column.type for column in actual}
    found = [f"column {name!r} is missing" for name in table.column_names if name not in there]
    found += [f"column {name!r} is not in the definition" for name in there if not table.has(name)]
    for column in table.columns:
        if column.name in there and there[column.name] != column.type:
            found.append(f"column {column.name!r} is {there[column.name]}, defined as {column.type}")
    return found or _order(table.column_names, tuple(there))


def check_same(table: Table, actual: Sequence[ActualColumn]) -> None:
    """Refuse a table that is not as defined.

    Raises:
        SchemaMismatch: lists every difference.
    """
    if found := differences(table, actual):
        raise SchemaMismatch(
            f"table {table.name} is not as defined: {'; '.join(found)}; change the definition or alter the table"
        )


def _order(defined: tuple[str, ...], there: tuple[str, ...]) -> list[str]:
    if defined == there:
        return []
    at = next(index for index, pair in enumerate(zip(defined, there, strict=True)) if pair[0] != pair[1])
    return [f"the columns are in another order: number {at + 1} is {there[at]!r}, defined as {defined[at]!r}"]
