"""Which columns of a table are kept in its history, decided from the two definitions before the first statement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from core.errors import ParameterError, SchemaMismatch
from steps_impl.tables.model import Column, Table

EFFECTIVE = "effective_ts"
EXPIRATION = "expiration_ts"
_MOMENT = "timestamp without time zone"


@dataclass(frozen=True)
class HistoryPlan:
    """A table and its history: slowly changing dimension of type 2."""

    #: The table whose states are recorded.
    table: Table
    history: Table
    keys: tuple[str, ...]
    #: The columns that a version holds, in the order of the history.
    columns: tuple[str, ...]
    #: Those of them whose change makes a new version.
    compared: tuple[str, ...]
    #: Whether NULL in a key equals NULL; otherwise such rows are refused.
    match_nulls: bool = False
    #: Whether a table without rows may end every version.
    allow_empty: bool = False


@dataclass(frozen=True)
class HistoryCounts:
    """What one recording did, in rows of the history."""

    #: Versions that ended because their row has other values now, or is gone.
    changed: int
    vanished: int
    #: Versions that began.
    opened: int
    #: Versions that are valid now: one for each row of the table.
    current: int


def plan_history(
    table: Table,
    history: Table,
    keys: tuple[str, ...],
    ignored: tuple[str, ...],
    *,
    match_nulls: bool = False,
    allow_empty: bool = False,
) -> HistoryPlan:
    """Decide what is recorded.

    Every column of the table has to be in the history with the same type, or be ``ignored``: then its change alone
    makes no new version, and it is kept only if the history has it. An IDENTITY column is ignored always, since an
    upsert gives a row a new number each time it replaces it.

    Raises:
        SchemaMismatch: the two definitions do not fit.
        ParameterError: an ignored column that is not there, a key that is not comparable, or ignored.
    """
    if unknown := [name for name in ignored if not table.has(name)]:
        raise ParameterError(f"--history-ignore: {unknown[0]!r} is not a column of {table.name}")
    if wrong := [key for key in keys if key in ignored or not history.has(key)]:
        raise ParameterError(f"--keys: {wrong[0]!r} is a key, which the history {history.name} has to hold")
    if found := list(_differences(table, history, keys, ignored)):
        raise SchemaMismatch(f"history {history.name} does not fit {table.name}: {'; '.join(found)}")
    columns = tuple(name for name in history.column_names if table.has(name))
    compared = tuple(name for name in columns if name not in (*keys, *ignored) and not table.column(name).identity)
    return HistoryPlan(table, history, keys, columns, compared, match_nulls, allow_empty)


def _differences(table: Table, history: Table, keys: tuple[str, ...], ignored: tuple[str, ...]) -> Iterator[str]:
    for name in (EFFECTIVE, EXPIRATION):
        if table.has(name):
            yield f"column {name!r} belongs to the history alone"
        if not history.has(name) or history.column(name).type.name != _MOMENT:
            yield f"column {name!r} TIMESTAMP is missing"
    for column in table.columns:
        yield from _column_differences(column, history, must=column.name not in ignored and column.name not in keys)
    for column in history.columns:
        known = table.has(column.name) or column.name in (EFFECTIVE, EXPIRATION)
        if not known and column.not_null and not column.fills_itself:
            yield f"column {column.name!r} is NOT NULL and has no DEFAULT, and the table has no such column"


def _column_differences(column: Column, history: Table, *, must: bool) -> Iterator[str]:
    name = column.name
    if not history.has(name):
        if must and not column.identity:
            yield f"column {name!r} is missing; add it, or name it in --history-ignore"
        return
    kept = history.column(name)
    if kept.type != column.type:
        yield f"column {name!r} is {kept.type}, and {column.type} in the table"
    if kept.identity and not kept.identity.by_default:
        yield f"column {name!r} is IDENTITY, which takes no values"
    if must and not column.type.orderable and not column.identity:
        yield f"column {name!r} is {column.type}, which cannot be compared; name it in --history-ignore"
