"""The checks of a loading step inside its transaction, made of ``InsideCheckParameters``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

from core.errors import CheckFailed, ParameterError, SettingsError, StoreError
from core.periods import parse_period
from core.settings import Settings
from steps_impl.contract import StepContext
from steps_impl.quality.ages import Age, age_report, read_moment
from steps_impl.quality.inside_parameters import InsideCheck, InsideCheckParameters
from steps_impl.quality.null_rates import null_query, null_reports, parse_limits
from steps_impl.quality.report import CheckReport, tell
from steps_impl.queries import bare_query
from steps_impl.tables.model import Table, quote
from steps_impl.warehouse.plan import Check, MergeCounts, MergePlan
from stores.redshift import Session, Statement

_UTC = ZoneInfo("UTC")


def inside_checks(parameters: InsideCheckParameters, table: Table) -> list[Check]:
    """Return the checks that the parameters ask for, in the order dropped, nulls, freshness, sql.

    Raises:
        ParameterError: a column that the table does not have.
    """
    limits = {name.lower(): limit for name, limit in parse_limits(parameters.check_nulls, 0.0).items()}
    column, _, period = (parameters.check_freshness or "").partition("=")
    for name in [*limits, *([column.strip().lower()] if column else [])]:
        if not table.has(name):
            raise ParameterError(f"{table.name} has no column {name!r} to check")
    checks: list[tuple[InsideCheck, Check]] = []
    if parameters.check_dropped is not None:
        checks.append(("dropped", dropped_check(parameters.check_dropped)))
    checks += [("nulls", null_check(name, limit)) for name, limit in limits.items()]
    if column:
        checks.append(("freshness", freshness_check(column.strip().lower(), period)))
    checks += [("sql", sql_check(number, text)) for number, text in enumerate(parameters.check_sql, start=1)]
    return [_warning(check) if kind in parameters.warn_checks else check for kind, check in checks]


@contextmanager
def told_after(
    parameters: InsideCheckParameters,
    table: Table,
    reports: Callable[[], Sequence[CheckReport]],
    settings: Settings,
    context: StepContext,
) -> Iterator[dict[str, Any]]:
    """Tell of the checks when the load is over, committed or rolled back because one of them failed.

    The dictionary is given ``notification`` when the topic could not be told. A load that is committed is never made to
    fail by a report that cannot be written: that is told in the same place.
    """
    outcome: dict[str, Any] = {}
    told = parameters.told(f"checks of {table.name}")
    try:
        yield outcome
    except CheckFailed:
        with suppress(StoreError, ParameterError, SettingsError):
            tell(reports(), told, settings, context)
        raise
    try:
        undelivered = tell(reports(), told, settings, context)
    except (StoreError, ParameterError, SettingsError) as error:
        undelivered = f"the report of the checks could not be written: {error}"
    outcome |= {"notification": undelivered.strip()} if undelivered else {}


def dropped_check(tolerance: float) -> Check:
    """Return the check of the rows that were read and are not in the target."""

    def check(_session: Session, _staging: str, plan: MergePlan, counts: MergeCounts) -> CheckReport:
        lost = {"refused": counts.rejected, "without_key": counts.dropped_null_keys, "duplicates": counts.duplicates}
        read, dropped = counts.staged + counts.rejected, sum(lost.values())
        return CheckReport(
            check="dropped rows",
            schema=plan.table.name.schema or "",
            table=plan.table.name.name,
            tolerance=tolerance,
            error_rate=100.0 * dropped / read if read else 0.0,
            counts={"read": read, **lost},
            finding=f"{dropped} of {read} rows that were read are left out",
        )

    return check


def null_check(column: str, limit: float) -> Check:
    """Return the check of the share of NULL in a column of the new rows."""

    def check(session: Session, staging: str, plan: MergePlan, counts: MergeCounts) -> CheckReport:  # noqa: ARG001
        query = null_query(quote(staging), [column], quote)
        found = session.row(Statement(query, f"count the NULLs of {column}"))
        (report,) = null_reports(_place(plan), {column: limit}, [int(count) for count in found], empty=0.0)
        return report

    return check


def freshness_check(column: str, period: str) -> Check:
    """Return the check of the age of the newest of the new rows; where there is none, of the target's."""
    limit = parse_period(period)

    def check(session: Session, staging: str, plan: MergePlan, counts: MergeCounts) -> CheckReport:
        relation = quote(staging) if counts.staged else plan.table.name.sql
        now, newest = session.row(Statement(age_query(relation, column, plan.table), f"look at the newest {column}"))
        age = Age(read_moment(newest, _UTC) if newest else None, read_moment(now, _UTC).astimezone(UTC))
        return age_report(_place(plan), column, age, limit)

    return check


def age_query(relation: str, column: str, table: Table) -> str:
    """Return the query for the clock and the newest value of a column, both as text in UTC."""
    zoned = table.column(column).type.name == "timestamp with time zone"
    newest = f"MAX({quote(column)})" + (" AT TIME ZONE 'UTC'" if zoned else "")
    return f"SELECT CAST(GETDATE() AS VARCHAR), CAST({newest} AS VARCHAR) FROM {relation}"


def sql_check(number: int, text: str) -> Check:
    """Return the check that a query returns 0."""

    def check(session: Session, staging: str, plan: MergePlan, counts: MergeCounts) -> CheckReport:  # noqa: ARG001
        query = bare_query(text, "postgres").replace("{staging}", quote(staging))
        statement = Statement(query.replace("{target}", plan.table.name.sql), f"run the query of check {number}")
        rows = session.rows(statement)
        return zero_report(number, _place(plan), rows)

    return check


def zero_report(number: int, place: tuple[str, str], rows: Sequence[Sequence[object]]) -> CheckReport:
    """Return the report on a query that has to return one row with the number 0."""
    value: float | None = None
    if len(rows) == 1 and len(rows[0]) == 1:
        try:
            value = abs(float(str(rows[0][0])))
        except ValueError:
            value = None
    return CheckReport(
        check=f"sql check {number}",
        schema=place[0],
        table=place[1],
        tolerance=0.0,
        error_rate=value,
        counts={"rows": len(rows)},
        finding="the query must return one row with one number" if value is None else f"the query returns {value:g}",
        unit="",
    )


def _place(plan: MergePlan) -> tuple[str, str]:
    return plan.table.name.schema or "", plan.table.name.name


def _warning(check: Check) -> Check:
    def warn(session: Session, staging: str, plan: MergePlan, counts: MergeCounts) -> CheckReport:
        return replace(check(session, staging, plan, counts), warns=True)

    return warn
