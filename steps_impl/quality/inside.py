"""The checks of a loading step inside its transaction, made of ``InsideCheckParameters``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC
from zoneinfo import ZoneInfo

from core.errors import ParameterError
from core.periods import parse_period
from steps_impl.quality.ages import Age, age_report, read_moment
from steps_impl.quality.inside_parameters import STAGING, InsideCheck, InsideCheckParameters
from steps_impl.quality.null_rates import null_query, null_reports, parse_limits
from steps_impl.quality.report import CheckReport
from steps_impl.queries import bare_query
from steps_impl.tables.model import Table, TableName, quote
from steps_impl.warehouse.statements import profile_relation
from stores.redshift import Session, Statement

_UTC = ZoneInfo("UTC")


@dataclass(frozen=True)
class Loading:
    """A load just before its commit, as its checks see it."""

    session: Session
    table: Table
    #: The table that holds the new rows: a temporary one, or the target where it holds nothing else.
    staging: TableName
    #: Rows that came into a staging table.
    staged: int
    #: Rows that were read and are not in the table, by why; those ``refused`` were not staged.
    lost: Mapping[str, int] = field(default_factory=dict)

    @property
    def brought(self) -> int:
        """Staged rows that were not left out."""
        return self.staged - sum(rows for why, rows in self.lost.items() if why != "refused")

    @property
    def place(self) -> tuple[str, str]:
        """Schema and table for reports."""
        return self.table.name.schema or "", self.table.name.name


#: A check that runs inside the transaction, after the rows are in place; without success everything is rolled back.
LoadCheck = Callable[[Loading], CheckReport]


def inside_checks(parameters: InsideCheckParameters, table: Table) -> list[LoadCheck]:
    """Return the checks that the parameters ask for, in the order dropped, nulls, freshness, sql.

    Raises:
        ParameterError: a column that the table does not have.
    """
    limits = {name.lower(): limit for name, limit in parse_limits(parameters.check_nulls, 0.0).items()}
    column, _, period = (parameters.check_freshness or "").partition("=")
    for name in [*limits, *([column.strip().lower()] if column else [])]:
        if not table.has(name):
            raise ParameterError(f"{table.name} has no column {name!r} to check")
    checks: list[tuple[InsideCheck, LoadCheck]] = []
    if parameters.check_dropped is not None:
        checks.append(("dropped", dropped_check(parameters.check_dropped)))
    checks += [("nulls", null_check(name, limit)) for name, limit in limits.items()]
    if column:
        checks.append(("freshness", freshness_check(column.strip().lower(), period)))
    checks += [("sql", sql_check(number, text)) for number, text in enumerate(parameters.check_sql, start=1)]
    return [_warning(check) if kind in parameters.warn_checks else check for kind, check in checks]


def dropped_check(tolerance: float) -> LoadCheck:
    """Return the check of the rows that were read and are not in the target."""

    def check(loading: Loading) -> CheckReport:
        read, dropped = loading.staged + loading.lost.get("refused", 0), sum(loading.lost.values())
        schema, table = loading.place
        return CheckReport(
            check="dropped rows",
            schema=schema,
            table=table,
            tolerance=tolerance,
            error_rate=100.0 * dropped / read if read else 0.0,
            counts={"read": read, **loading.lost},
            finding=f"{dropped} of {read} rows that were read are left out",
        )

    return check


def whole_key_check(keys: Sequence[str]) -> LoadCheck:
    """Return the check that every key is in the target exactly once, without a NULL (Redshift enforces no key)."""

    def check(loading: Loading) -> CheckReport:
        profile = profile_relation(loading.table.name.sql, keys)
        rows, distinct, nulls = map(int, loading.session.row(profile))
        schema, table = loading.place
        return CheckReport(
            check="primary key",
            schema=schema,
            table=table,
            tolerance=0.0,
            error_rate=float(rows - distinct + nulls),
            counts={"rows": rows, "surplus_rows": rows - distinct, "rows_with_null_key": nulls},
            finding=f"{rows - distinct} rows have a key ({', '.join(keys)}) that another has, {nulls} have NULL in it",
            unit="",
        )

    return check


def null_check(column: str, limit: float) -> LoadCheck:
    """Return the check of the share of NULL in a column of the new rows."""

    def check(loading: Loading) -> CheckReport:
        query = null_query(loading.staging.sql, [column], quote)
        found = loading.session.row(Statement(query, f"count the NULLs of {column}"))
        (report,) = null_reports(loading.place, {column: limit}, [int(count) for count in found], empty=0.0)
        return report

    return check


def freshness_check(column: str, period: str) -> LoadCheck:
    """Return the check of the age of the newest of the new rows; where there is none, of the target's."""
    limit = parse_period(period)

    def check(loading: Loading) -> CheckReport:
        relation = loading.staging.sql if loading.staged else loading.table.name.sql
        statement = Statement(age_query(relation, column, loading.table), f"look at the newest {column}")
        now, newest = loading.session.row(statement)
        age = Age(read_moment(newest, _UTC) if newest else None, read_moment(now, _UTC).astimezone(UTC))
        return age_report(loading.place, column, age, limit)

    return check


def age_query(relation: str, column: str, table: Table) -> str:
    """Return the query for the clock and the newest value of a column, both as text in UTC."""
    zoned = table.column(column).type.name == "timestamp with time zone"
    newest = f"MAX({quote(column)})" + (" AT TIME ZONE 'UTC'" if zoned else "")
    return f"SELECT CAST(GETDATE() AS VARCHAR), CAST({newest} AS VARCHAR) FROM {relation}"


def sql_check(number: int, text: str) -> LoadCheck:
    """Return the check that a query returns 0."""

    def check(loading: Loading) -> CheckReport:
        query = bare_query(text, "postgres").replace(STAGING, loading.staging.sql)
        query = query.replace("{target}", loading.table.name.sql)
        within = f"SELECT * FROM (\n{query}\n) AS found LIMIT 2"  # in brackets nothing can change rows
        statement = Statement(within, f"run the query of check {number}")
        return zero_report(number, loading.place, loading.session.rows(statement))

    return check


def zero_report(number: int, place: tuple[str, str], rows: Sequence[Sequence[object]]) -> CheckReport:
    """Return the report on a query that has to return one row with the number 0."""
    value: float | None = None
    if len(rows) == 1 and len(rows[0]) == 1:
        try:
            found = abs(float(str(rows[0][0])))
            value = found if math.isfinite(found) else None
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


def _warning(check: LoadCheck) -> LoadCheck:
    return lambda loading: replace(check(loading), warns=True)
