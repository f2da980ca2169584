"""What is done when the table in the warehouse is not the table of the definition: ``--on-drift``.

Names, types and order are compared. Two differences can be mended without touching a row: a column that is missing is
added at the end, a VARCHAR that is too short is widened. Redshift allows no more (Developer Guide, ALTER TABLE): it
widens no DECIMAL, adds no key, and puts no column between others. All else is refused, with every difference named.

Each change is a statement of its own before the load: ``ALTER COLUMN … TYPE`` may not stand in a transaction block.
A load that fails afterwards leaves the table with its new column empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from steps_impl.tables.compare import ActualColumn, additional, changed, made_by_warehouse, misplaced, missing
from steps_impl.tables.model import Column, Table, quote
from steps_impl.tables.render import column_ddl, type_ddl
from stores.redshift import Statement

DriftChoice = Literal["refuse", "add-columns", "widen", "keep-extra"]

_VARCHAR = "character varying"
#: Encodings with which no column can be altered.
_FIXED_ENCODINGS = frozenset({"BYTEDICT", "RUNLENGTH", "TEXT255", "TEXT32K"})


@dataclass(frozen=True)
class DriftPolicy:
    """Which differences are mended or borne; all others are refused."""

    add_columns: bool = False
    widen: bool = False
    #: Columns of the table that the definition does not have.
    keep_extra: bool = False

    @property
    def within(self) -> DriftPolicy:
        """What is borne once the changes are made: they are not made inside the load's transaction."""
        return DriftPolicy(keep_extra=self.keep_extra)


REFUSE = DriftPolicy()


def policy_of(choices: Iterable[DriftChoice]) -> DriftPolicy:
    """Return the policy that a step's ``--on-drift`` asks for."""
    chosen = set(choices)
    return DriftPolicy("add-columns" in chosen, "widen" in chosen, "keep-extra" in chosen)


@dataclass(frozen=True)
class Drift:
    """What to do about the differences: statements to run, and what is refused, in words."""

    alterations: tuple[Statement, ...]
    refused: tuple[str, ...]


def plan_drift(table: Table, actual: Sequence[ActualColumn], policy: DriftPolicy) -> Drift:
    """Compare a definition with the table that is there."""
    added, widened = list(_added(table, actual, policy)), list(_widened(table, actual, policy))
    # Widening first: the warehouse may refuse it for what does not show here (a view that reads the column).
    alterations = tuple(item for item in (*widened, *added) if isinstance(item, Statement))
    refused = [item for item in (*added, *_kept(table, actual, policy), *widened) if isinstance(item, str)]
    return Drift(alterations, (*refused, *misplaced(table, actual)))


def _added(table: Table, actual: Sequence[ActualColumn], policy: DriftPolicy) -> Iterator[Statement | str]:
    names = [column.name for column in missing(table, actual)]
    last = table.column_names[len(table.columns) - len(names) :]
    for column in missing(table, actual):
        if not policy.add_columns:
            yield f"column {column.name!r} is missing"
        elif column.name not in last:
            yield (
                f"column {column.name!r} is missing, and cannot be added at place "
                f"{table.column_names.index(column.name) + 1} of the definition: Redshift adds columns at the end"
            )
        elif reason := _why_not_added(table, column):
            yield f"column {column.name!r} is missing, and cannot be added: {reason}"
        else:
            text = f"ALTER TABLE {table.name.sql} ADD COLUMN {column_ddl(column)}"
            yield Statement(text, f"add column {column.name!r} to {table.name}")


def _why_not_added(table: Table, column: Column) -> str:
    if column.identity:
        return "it is IDENTITY"
    if key := _key_with(table, column.name):
        return f"it belongs to the {key}"
    empty = column.default is None or column.default.upper() == "NULL"
    return "it is NOT NULL and has no DEFAULT for the rows that are there" if column.not_null and empty else ""


def _kept(table: Table, actual: Sequence[ActualColumn], policy: DriftPolicy) -> Iterator[str]:
    for column in additional(table, actual):
        if not policy.keep_extra:
            yield f"column {column.name!r} is not in the definition"
        elif made_by_warehouse(column):
            yield f"column {column.name!r} is not in the definition, and cannot be left alone: it is IDENTITY"
        elif column.not_null and column.default is None:
            yield (
                f"column {column.name!r} is not in the definition, and cannot be left alone: it is NOT NULL and has "
                "no DEFAULT"
            )


def _widened(table: Table, actual: Sequence[ActualColumn], policy: DriftPolicy) -> Iterator[Statement | str]:
    for column, there in changed(table, actual):
        difference = f"column {column.name!r} is {there.type}, defined as {column.type}"
        if not policy.widen:
            yield difference
        elif reason := _why_not_widened(table, column, there):
            yield f"{difference}, and cannot be widened: {reason}"
        else:
            text = f"ALTER TABLE {table.name.sql} ALTER COLUMN {quote(column.name)} TYPE {type_ddl(column.type)}"
            yield Statement(text, f"widen column {column.name!r} of {table.name} to {column.type}")


def _why_not_widened(table: Table, column: Column, there: ActualColumn) -> str:
    if column.type.name != _VARCHAR or there.type.name != _VARCHAR:
        return "Redshift changes the length of VARCHAR alone"
    if column.type.arguments < there.type.arguments:
        return "it would be shorter"
    if there.default is not None or column.default is not None:
        return "it has a DEFAULT"
    if column.encode in _FIXED_ENCODINGS:
        return f"its encoding is {column.encode}"
    key = _constraint_with(table, column.name)
    return f"it belongs to the {key}" if key else ""


def _key_with(table: Table, name: str) -> str:
    if name == table.dist_key:
        return "distribution key"
    return "sort key" if name in table.sort_key else _constraint_with(table, name)


def _constraint_with(table: Table, name: str) -> str:
    if name in table.key:
        return "primary key"
    if any(name in key.columns for key in table.unique):
        return "UNIQUE constraint"
    return "foreign key" if any(name in key.columns for key in table.foreign_keys) else ""
