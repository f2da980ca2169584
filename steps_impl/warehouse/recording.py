"""Records the states of a table in its history, inside the transaction of whoever changed the table."""

from __future__ import annotations

from core.errors import CheckFailed
from steps_impl.warehouse import history_statements as statements
from steps_impl.warehouse.history_plan import HistoryCounts, HistoryPlan
from steps_impl.warehouse.statements import profile_relation
from stores.redshift import Session


def record(session: Session, plan: HistoryPlan) -> HistoryCounts:
    """End the versions of rows that changed or vanished, begin one for each row without, and check the outcome.

    Table and history are locked. A second run finds every row in its current version and changes nothing.

    Raises:
        CheckFailed: a key that comes twice, is NULL, or an empty table; or the history does not hold each row once.
        StoreError: the warehouse refuses.
    """
    rows = _rows_with_sound_keys(session, plan)
    now = statements.moment_of(*session.row(statements.latest_moment(plan.history.name)))
    changed = session.execute(statements.expire_changed(plan, now)) if plan.compared else 0
    vanished = session.execute(statements.expire_vanished(plan, now))
    if vanished and not rows and not plan.allow_empty:
        raise CheckFailed(
            f"table {plan.table.name} has no rows, and all {vanished} current versions in {plan.history.name} would "
            "end; if that is meant, add --allow-empty"
        )
    opened = session.execute(statements.open_versions(plan, now))
    (current,) = session.row(statements.count_current(plan.history.name))
    if current != rows:  # each row was given a version unless it has one: as many means one each
        raise CheckFailed(
            f"history {plan.history.name} would hold {current} current versions of {rows} rows: it had more than one "
            "of some row before; end all but one of them"
        )
    return HistoryCounts(changed, vanished, opened, current)


def _rows_with_sound_keys(session: Session, plan: HistoryPlan) -> int:
    """Return how many rows the table has."""
    rows, keys, nulls = map(int, session.row(profile_relation(plan.table.name.sql, plan.keys)))
    if rows != keys or (nulls and not plan.match_nulls):
        raise CheckFailed(
            f"table {plan.table.name} has {rows - keys} rows with a key that comes twice and {nulls} with NULL in "
            f"{', '.join(plan.keys)}: its history needs every key once (--null-keys match takes NULL as a key)"
        )
    return rows
