"""``column-check``: a sample of rows has the same values in the source and in the warehouse.

Dataduct's check of this name compares joined texts of rows that exist on both sides; see ``sampling`` for what is
different here.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from core.errors import ParameterError
from core.settings import load_settings
from steps_impl.contract import StepContext, StepResult
from steps_impl.quality.relations import ComparisonParameters, defined_table, warehouse_settings
from steps_impl.quality.report import CheckReport, conclude
from steps_impl.quality.sampling import SampleComparison
from steps_impl.quality.sides import open_source, warehouse_relation, warehouse_side
from steps_impl.registry import Step
from steps_impl.tables.model import Table
from stores.redshift import connect


class ColumnCheckParameters(ComparisonParameters):
    """What column-check is told."""

    table_definition: str = Field(
        description="definition of the warehouse table: names, types and key of the columns to compare"
    )
    destination_sql: str | None = Field(
        default=None, description="compare the rows of this query in the warehouse instead of the whole table"
    )
    keys: tuple[str, ...] = Field(default=(), description="columns that identify a row; default: the primary key")
    columns: tuple[str, ...] = Field(default=(), description="columns to compare; default: all of the definition")
    sample_size: int = Field(default=1000, ge=1, le=1_000_000, description="rows to draw from each side")


def run(parameters: ColumnCheckParameters, context: StepContext) -> StepResult:
    """Compare a sample drawn from both sides and conclude as the parameters say.

    Raises:
        ParameterError: no key, or a column that the table does not have.
        CheckFailed: more differences than the tolerance, and the step is to fail.
        StoreError: a side refuses or cannot be reached.
    """
    settings = load_settings()
    table = defined_table(parameters.table_definition, settings)
    keys = tuple(key.lower() for key in parameters.keys) or table.key
    types = compared_types(table, keys, [name.lower() for name in parameters.columns])
    with (
        open_source(parameters.source, settings, types) as source,
        connect(warehouse_settings(settings), cancelled=context.cancelled) as session,
    ):
        target = warehouse_side(session, warehouse_relation(_table(parameters, table), parameters.destination_sql))
        comparison = SampleComparison(source, target, types, keys)
        sample = comparison.from_source(parameters.sample_size) + comparison.from_target(parameters.sample_size)
    report = CheckReport(
        check="column-check",
        schema=table.name.schema or "public",
        table=table.name.name,
        tolerance=parameters.tolerance,
        error_rate=sample.error_rate,
        counts={
            "compared": sample.compared,
            "different": sample.different,
            "missing_in_source": sample.missing_in_source,
            "missing_in_target": sample.missing_in_target,
            "columns": dict(sample.columns),
        },
        finding=sample.finding(),
    )
    return conclude(report, parameters, settings, context)


def compared_types(table: Table, keys: Sequence[str], columns: Sequence[str]) -> dict[str, str]:
    """Return the columns to compare with their types, keys first.

    Raises:
        ParameterError: no key, or a column that the definition does not have.
    """
    if not keys:
        raise ParameterError(f"{table.name} has no primary key; give --keys with the columns that identify a row")
    names = dict.fromkeys([*keys, *(columns or table.column_names)])
    if unknown := [name for name in names if not table.has(name)]:
        raise ParameterError(f"{table.name} has no column {', '.join(unknown)}")
    return {name: str(table.column(name).type) for name in names}


def _table(parameters: ColumnCheckParameters, table: Table) -> str | None:
    return None if parameters.destination_sql else table.name.sql


STEP = Step(
    name="column-check",
    summary="Compare a sample of rows, value by value, between the source and the warehouse.",
    parameters=ColumnCheckParameters,
    run=run,
)
