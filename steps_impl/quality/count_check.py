"""``count-check``: as many rows in the warehouse as in the source.

Dataduct (executors/count_check): error rate ``abs(source - destination) * 100 / source``; nothing on both sides is
0, rows that have no source at all have no rate and fail.
"""

from __future__ import annotations

from pydantic import Field, model_validator

from core.settings import Settings, load_settings
from steps_impl.contract import StepContext, StepResult
from steps_impl.quality.relations import ComparisonParameters, defined_table, warehouse_settings
from steps_impl.quality.report import CheckReport, conclude
from steps_impl.quality.sides import open_source, warehouse_relation, warehouse_side
from steps_impl.registry import Step
from stores.redshift import connect


class CountCheckParameters(ComparisonParameters):
    """What count-check is told."""

    table_definition: str | None = Field(
        default=None, description="destination: the definition of its table (a file, an s3:// object or its text)"
    )
    destination_sql: str | None = Field(default=None, description="destination: the rows of a query in the warehouse")

    @model_validator(mode="after")
    def _one_destination(self) -> CountCheckParameters:
        if (self.table_definition is None) == (self.destination_sql is None):
            raise ValueError("give exactly one of --table-definition and --destination-sql")
        return self


def run(parameters: CountCheckParameters, context: StepContext) -> StepResult:
    """Count both sides and conclude as the parameters say.

    Raises:
        CheckFailed: the counts differ by more than the tolerance, and the step is to fail.
        StoreError: a side refuses or cannot be reached.
    """
    settings = load_settings()
    schema, table, relation = _destination(parameters, settings)
    with open_source(parameters.source, settings) as source:
        expected = int(source.fetch(f"SELECT COUNT(*) FROM {source.relation}", ())[0][0])
    with connect(warehouse_settings(settings), cancelled=context.cancelled) as session:
        side = warehouse_side(session, relation)
        found = int(side.fetch(f"SELECT COUNT(*) FROM {side.relation}", ())[0][0])
    report = count_report(schema, table, parameters.tolerance, expected, found)
    return conclude(report, parameters, settings, context)


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


def error_rate(source: float, destination: float) -> float | None:
    """Return the difference in percent of the source; ``None`` when there is no source to compare with."""
    if source == 0:
        return 0.0 if destination == 0 else None
    return abs(source - destination) * 100.0 / abs(source)


def _destination(parameters: CountCheckParameters, settings: Settings) -> tuple[str, str, str]:
    if parameters.table_definition is None:
        return "NULL", "query", warehouse_relation(None, parameters.destination_sql)
    table = defined_table(parameters.table_definition, settings)
    return table.name.schema or "public", table.name.name, table.name.sql


STEP = Step(
    name="count-check",
    summary="Compare the number of rows in the source and in the warehouse.",
    parameters=CountCheckParameters,
    run=run,
)
