"""``count-check``: as many rows in the destination as in the source.

Dataduct (executors/count_check): error rate ``abs(source - destination) * 100 / source``; nothing on both sides is
0, rows that have no source at all have no rate and fail. Both sides are counted at the same time.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from typing import Self

from pydantic import Field, model_validator

from core.errors import ParameterError
from core.settings import Settings, load_settings
from steps_impl.contract import StepContext, StepResult
from steps_impl.quality.engines import End, open_end
from steps_impl.quality.engines.end import REDSHIFT_ALIAS, bare_for, check_name, relation_of
from steps_impl.quality.relations import ComparisonParameters, by_one_name, defined_table, exactly_one
from steps_impl.quality.report import CheckReport, conclude
from steps_impl.registry import Step
from steps_impl.tables.reader import TokenReader


class CountCheckParameters(ComparisonParameters):
    """What count-check is told."""

    source_count_sql: str | None = Field(default=None, description="source: a query that returns the number of rows")
    table_definition: str | None = Field(
        default=None, description="destination: the definition of its table (a file, an s3:// object or its text)"
    )
    destination_table_definition: str | None = Field(default=None, description="Dataduct's name of --table-definition")
    destination_table_name: str | None = Field(default=None, description="destination: a table, `schema.table`")
    destination_sql: str | None = Field(default=None, description="destination: the rows of a query")
    destination_count_sql: str | None = Field(
        default=None, description="destination: a query that returns the number of rows"
    )
    destination_host: str = Field(
        default="redshift", description="an alias of the configuration's mysql section, 'postgres' or 'redshift'"
    )

    @model_validator(mode="after")
    def _one_of_each_side(self) -> Self:
        by_one_name(
            table_definition=self.table_definition, destination_table_definition=self.destination_table_definition
        )
        exactly_one(source_table=self.source_place, source_sql=self.source_sql, source_count_sql=self.source_count_sql)
        exactly_one(
            table_definition=self.definition,
            destination_table_name=self.destination_table_name,
            destination_sql=self.destination_sql,
            destination_count_sql=self.destination_count_sql,
        )
        return self

    @property
    def definition(self) -> str | None:
        """The definition of the destination's table."""
        return self.table_definition or self.destination_table_definition


def run(parameters: CountCheckParameters, context: StepContext) -> StepResult:
    """Count both sides and conclude as the parameters say.

    Raises:
        ParameterError: a query of one's own does not return one number.
        CheckFailed: the counts differ by more than the tolerance, and the step is to fail.
        StoreError: a side refuses or cannot be reached.
    """
    settings = load_settings(environment=context.environment)
    schema, table, name = _destination(parameters, settings)
    for host in (parameters.source_host, parameters.destination_host):
        check_name(host, settings)

    def source() -> int:
        with open_end(parameters.source_host, parameters.source_database, settings, context.cancelled) as end:
            own = parameters.source_count_sql
            return (
                _own(end, own, "--source-count-sql")
                if own
                else _rows(end, parameters.source_place, parameters.source_sql)
            )

    def destination() -> int:
        with open_end(parameters.destination_host, None, settings, context.cancelled) as end:
            own = parameters.destination_count_sql
            return _own(end, own, "--destination-count-sql") if own else _rows(end, name, parameters.destination_sql)

    with ThreadPoolExecutor(2, "count") as pool:
        expected, found = [counted.result() for counted in (pool.submit(source), pool.submit(destination))]
    return conclude(count_report(schema, table, parameters.tolerance, expected, found), parameters, settings, context)


def count_report(schema: str, table: str, tolerance: float, expected: int, found: int) -> CheckReport:
    """Return the report on two numbers of rows; the tolerance is in percent."""
    return CheckReport(
        check="count-check",
        schema=schema,
        table=table,
        tolerance=tolerance,
        error_rate=error_rate(expected, found),
        counts={"source_rows": expected, "destination_rows": found},
        finding=f"{expected} rows in the source, {found} in the destination",
    )


def error_rate(source: Fraction | int, destination: Fraction | int) -> float | None:
    """Return the difference in percent of the source; ``None`` when there is no source to compare with.

    It is computed exactly: floats would not tell numbers of 17 digits apart, nor meet a tolerance that is just reached.
    """
    expected, found = Fraction(source), Fraction(destination)
    if expected == 0:
        return 0.0 if found == 0 else None
    try:
        return float(abs(expected - found) * 100 / abs(expected))
    except OverflowError:
        return None


def _rows(end: End, table: str | None, sql: str | None) -> int:
    return int(str(end.rows(f"SELECT COUNT(*) FROM {relation_of(end, table, sql)}")[0][0]))


def _own(end: End, sql: str, flag: str) -> int:
    rows = end.rows(bare_for(end, sql))
    try:
        ((value,),) = rows
        return int(str(value))
    except ValueError:
        raise ParameterError(f"{flag} must return one row with a number of rows") from None


def _destination(parameters: CountCheckParameters, settings: Settings) -> tuple[str, str, str | None]:
    """Return schema and table for the report, and the table's name for a statement, if there is one."""
    own = parameters.destination_table_name
    if parameters.definition is not None:
        name = defined_table(parameters.definition, settings).name
    elif own is None:
        return "", "query", None
    elif parameters.destination_host != REDSHIFT_ALIAS:
        schema, _, table = own.rpartition(".")
        return schema, table, own
    else:
        name = TokenReader(own).table_name()
    plain = f"{name.schema}.{name.name}" if name.schema else name.name
    return name.schema or "public", name.name, plain if parameters.destination_host in settings.mysql else name.sql


STEP = Step(
    name="count-check",
    summary="Compare the number of rows in the source and in the warehouse.",
    parameters=CountCheckParameters,
    run=run,
)
