"""``sql-check``: a query of one's own returns what it should, on any host.

The expectation is a number (`--number`, with a tolerance in percent), a range (`--minimum`, `--maximum`), no rows
(`--no-rows`), or the number that another query returns, on this host or another (`--equal-sql`, `--equal-host`).
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, Self

from pydantic import Field, model_validator

from core.errors import ParameterError
from core.settings import Settings, load_settings
from steps_impl.contract import StepContext, StepResult
from steps_impl.quality.count_check import error_rate
from steps_impl.quality.engines import End, open_end
from steps_impl.quality.engines.end import bare_for, text_of
from steps_impl.quality.report import CheckParameters, CheckReport, conclude
from steps_impl.registry import Step

#: Postgres' numbers have 131,072 digits before the point, no engine's more.
_MOST_DIGITS = 200_000


class SqlCheckParameters(CheckParameters):
    """What sql-check is told."""

    tolerance: float = Field(
        default=0.0, ge=0, description="difference from the number that still passes (percent; of --no-rows: rows)"
    )
    host_name: str = Field(
        default="redshift", description="an alias of the configuration's mysql section, 'postgres' or 'redshift'"
    )
    database: str | None = Field(default=None, description="database; default: the host's")
    sql: str = Field(description="the query: one number, or rows for --no-rows")
    number: Decimal | None = Field(default=None, allow_inf_nan=False, description="the number that it must return")
    minimum: Decimal | None = Field(default=None, allow_inf_nan=False, description="the least number that passes")
    maximum: Decimal | None = Field(default=None, allow_inf_nan=False, description="the greatest number that passes")
    no_rows: bool = Field(default=False, description="it must return no rows")
    equal_sql: str | None = Field(default=None, description="it must return the number that this query returns")
    equal_host: str | None = Field(default=None, description="host of --equal-sql; default: --host-name")
    equal_database: str | None = Field(default=None, description="database of --equal-sql; default: the host's")

    @model_validator(mode="after")
    def _one_expectation(self) -> Self:
        between = self.minimum is not None or self.maximum is not None
        if sum((self.number is not None, between, self.no_rows, self.equal_sql is not None)) != 1:
            raise ValueError("give exactly one of --number, --minimum/--maximum, --no-rows and --equal-sql")
        if self.equal_sql is None and (self.equal_host or self.equal_database):
            raise ValueError("--equal-host and --equal-database need --equal-sql")
        return self


def run(parameters: SqlCheckParameters, context: StepContext) -> StepResult:
    """Run the query and conclude as the parameters say.

    Raises:
        ParameterError: the query returns something else than one number.
        CheckFailed: the result is not as expected, and the step is to fail.
        StoreError: a host refuses or cannot be reached.
    """
    settings = load_settings(environment=context.environment)
    rate, unit, finding = _judge(parameters, settings, context)
    report = CheckReport(
        check="sql-check",
        schema="",
        table="query",
        tolerance=parameters.tolerance,
        error_rate=rate,
        finding=finding,
        unit=unit,
    )
    return conclude(report, parameters, settings, context)


def _judge(parameters: SqlCheckParameters, settings: Settings, context: StepContext) -> tuple[float | None, str, str]:
    """Return error rate, its unit and a sentence."""

    def ask(host: str, database: str | None, look: Callable[[End], Decimal]) -> Decimal:
        with open_end(host, database, settings, context.cancelled) as end:
            return look(end)

    own = parameters.host_name, parameters.database
    if parameters.no_rows:
        rows = ask(*own, lambda end: Decimal(_count(end, parameters.sql)))
        return float(rows), "rows", f"the query returns {rows} rows"
    found = ask(*own, lambda end: _number(end, parameters.sql, "--sql"))
    if parameters.equal_sql is None and parameters.number is None:
        return 0.0 if _between(found, parameters) else None, "", f"the query returns {found}"
    expected = parameters.number
    if expected is None:
        other = parameters.equal_host or parameters.host_name
        database = parameters.equal_database or (None if parameters.equal_host else parameters.database)
        expected = ask(other, database, lambda end: _number(end, parameters.equal_sql or "", "--equal-sql"))
    return _distance(expected, found), "%", f"the query returns {found}; expected is {expected}"


def _between(found: Decimal, parameters: SqlCheckParameters) -> bool:
    low, high = parameters.minimum, parameters.maximum
    return not found.is_nan() and (low is None or low <= found) and (high is None or found <= high)


def _distance(expected: Decimal, found: Decimal) -> float | None:
    """Return the difference in percent; of NaN and infinity there is none, unless both are the same."""
    if expected.is_finite() and found.is_finite():
        return error_rate(Fraction(expected), Fraction(found))
    return 0.0 if expected == found or (expected.is_nan() and found.is_nan()) else None


def _count(end: End, sql: str) -> int:
    return int(str(end.rows(f"SELECT COUNT(*) FROM (\n{bare_for(end, sql)}\n) AS found")[0][0]))


def _number(end: End, sql: str, flag: str) -> Decimal:
    rows: list[tuple[Any, ...]] = end.rows(f"SELECT * FROM (\n{bare_for(end, sql)}\n) AS found LIMIT 2")
    try:
        ((value,),) = rows
        number = Decimal(str(text_of(value)))
    except (ValueError, InvalidOperation):
        raise ParameterError(f"{flag} must return one row with one number") from None
    if number.is_finite() and abs(number.adjusted()) > _MOST_DIGITS:
        raise ParameterError(f"{flag} returns a text that is too large a number; no engine has such a one")
    return number


STEP = Step(
    name="sql-check",
    summary="Check that a query on any host returns a number, no rows, or what another query returns.",
    parameters=SqlCheckParameters,
    run=run,
)
