"""SQL that records the states of a table in its history, as pure functions.

A version is valid from ``effective_ts`` until ``expiration_ts``, both included; the current one has an expiration that
never comes. Dataduct's history has the same columns and the same two constants.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from steps_impl.tables.model import TableName, quote
from steps_impl.tables.render import column_list
from steps_impl.warehouse.history_plan import EFFECTIVE, EXPIRATION, HistoryPlan
from steps_impl.warehouse.keys import kinds_of, null_safe_match, plain_match
from stores.redshift import Statement

#: The end of a version that is valid still.
NEVER = "CAST('9999-12-31 23:59:59.999999' AS TIMESTAMP)"
#: The smallest step of a TIMESTAMP.
_TICK = timedelta(microseconds=1)


def latest_moment(history: TableName) -> Statement:
    """Return the query for (now, the latest beginning of a version)."""
    return Statement(f"SELECT SYSDATE, MAX({quote(EFFECTIVE)}) FROM {history.sql}", f"choose the moment for {history}")


def moment_of(now: datetime, latest: datetime | None) -> datetime:
    """Return the moment of a recording: now, and later than every version that has begun.

    SYSDATE is the beginning of the transaction, and the lock is waited for after that: another recording may have
    taken a later moment meanwhile, and a version must not end before it began.
    """
    return now if latest is None else max(now, latest + _TICK)


def expire_changed(plan: HistoryPlan, now: datetime) -> Statement:
    """Return the UPDATE that ends the current version of each row whose compared columns have other values now."""
    target = plan.history.name.sql
    differs = " OR ".join(_differs(f"{target}.{quote(name)}", f"s.{quote(name)}") for name in plan.compared)
    text = (
        f"UPDATE {target} SET {quote(EXPIRATION)} = {_written(now - _TICK)}\n"
        f"FROM {plan.table.name.sql} AS s\n"
        f"WHERE {_current(target)} AND {_match(plan, target, 's')} AND ({differs})"
    )
    return Statement(text, f"end changed versions in {plan.history.name}")


def expire_vanished(plan: HistoryPlan, now: datetime) -> Statement:
    """Return the UPDATE that ends the current version of each row that the table does not have any more.

    NOT EXISTS, and not Dataduct's NOT IN, which is never true once there is a NULL among the keys.
    """
    target = plan.history.name.sql
    text = (
        f"UPDATE {target} SET {quote(EXPIRATION)} = {_written(now - _TICK)}\n"
        f"WHERE {_current(target)}\n"
        f"AND NOT EXISTS (SELECT 1 FROM {plan.table.name.sql} AS s WHERE {_match(plan, 's', target)})"
    )
    return Statement(text, f"end vanished versions in {plan.history.name}")


def open_versions(plan: HistoryPlan, now: datetime) -> Statement:
    """Return the INSERT of a version for each row that has no current one: new, changed or come back."""
    names = column_list((EFFECTIVE, EXPIRATION, *plan.columns))
    text = (
        f"INSERT INTO {plan.history.name.sql} ({names})\n"
        f"SELECT {_written(now)}, {NEVER}, {column_list(plan.columns, 's')} FROM {plan.table.name.sql} AS s\n"
        f"WHERE NOT EXISTS (SELECT 1 FROM {plan.history.name.sql} AS h "
        f"WHERE {_current('h')} AND {_match(plan, 'h', 's')})"
    )
    return Statement(text, f"begin versions in {plan.history.name}")


def count_current(history: TableName) -> Statement:
    """Return the query for the number of versions that are valid now."""
    return Statement(f"SELECT COUNT(*) FROM {history.sql} WHERE {_current(history.sql)}", f"count {history}")


def _match(plan: HistoryPlan, left: str, right: str) -> str:
    match = null_safe_match(kinds_of(plan.table, plan.keys)) if plan.match_nulls else plain_match(plan.keys)
    return match(left, right)


def _current(relation: str) -> str:
    return f"{relation}.{quote(EXPIRATION)} = {NEVER}"


def _differs(one: str, other: str) -> str:
    return f"{one} <> {other} OR ({one} IS NULL AND {other} IS NOT NULL) OR ({one} IS NOT NULL AND {other} IS NULL)"


def _written(now: datetime) -> str:
    """Return a moment as SQL: a literal, since parameters would give a percent sign in a column's name a meaning."""
    return f"CAST('{now.isoformat(sep=' ', timespec='microseconds')}' AS TIMESTAMP)"
