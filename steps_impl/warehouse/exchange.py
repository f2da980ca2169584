"""How the staged rows come into the target: one function for each mode."""

from __future__ import annotations

from collections.abc import Callable

from steps_impl.tables.model import TableName
from steps_impl.warehouse import statements
from steps_impl.warehouse.checks import check_not_emptied
from steps_impl.warehouse.plan import MergeCounts, MergePlan, Mode
from stores.redshift import Session


def exchange(session: Session, staging: TableName, plan: MergePlan, counts: MergeCounts) -> None:
    """Bring the staged rows into the target, which is locked, and count what was done.

    Raises:
        CheckFailed: all rows were to be replaced by none.
        StoreError: the warehouse refuses.
    """
    _WAYS[plan.mode](session, staging, plan, counts)


def _delete_insert(session: Session, staging: TableName, plan: MergePlan, counts: MergeCounts) -> None:
    if plan.delete_existing:
        counts.deleted = session.execute(statements.delete_all(plan.table.name))
        check_not_emptied(plan, counts, counts.deleted)
    else:
        matching = statements.delete_matching(plan.table.name, staging, plan.match(counts))
        counts.deleted = session.execute(matching)
    counts.inserted = session.execute(statements.insert_all(plan.table.name, staging, plan.columns))


def _merge(session: Session, staging: TableName, plan: MergePlan, counts: MergeCounts) -> None:
    """MERGE; what it inserted is told by the rows before and after, since its answer has one number for both."""
    name, match = plan.table.name, plan.match(counts)
    if set(plan.columns) == set(plan.keys):  # nothing beside the key could be updated
        _append(session, staging, plan, counts)
        counts.updated = counts.unique - counts.inserted
        return
    (before,) = session.row(statements.count_rows(name.sql))
    session.execute(statements.merge_all(name, staging, plan.columns, plan.keys, match))
    (counts.after,) = session.row(statements.count_rows(name.sql))
    counts.inserted = counts.after - before
    counts.updated = counts.unique - counts.inserted


def _append(session: Session, staging: TableName, plan: MergePlan, counts: MergeCounts) -> None:
    """Only rows whose key is new, so that a second run adds nothing."""
    missing = statements.insert_missing(plan.table.name, staging, plan.columns, plan.keys, plan.match(counts))
    counts.inserted = session.execute(missing)


_WAYS: dict[Mode, Callable[[Session, TableName, MergePlan, MergeCounts], None]] = {
    "delete-insert": _delete_insert,
    "merge": _merge,
    "append": _append,
}
