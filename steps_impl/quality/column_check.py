"""``column-check``: a sample of rows has the same values in the source and in the warehouse.

Dataduct's check of this name compares joined texts of rows that exist on both sides; see ``sampling`` for what is
different here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Self

from pydantic import Field, model_validator

from core.errors import ParameterError
from core.settings import load_settings
from steps_impl.contract import StepContext, StepResult
from steps_impl.quality.relations import (
    ComparisonParameters,
    by_one_name,
    defined_table,
    exactly_one,
    warehouse_settings,
)
from steps_impl.quality.report import CheckReport, conclude
from steps_impl.quality.sampling import SampleComparison
from steps_impl.quality.sides import open_source, warehouse_relation, warehouse_side
from steps_impl.registry import Step
from steps_impl.tables.model import Table, quote
from steps_impl.tables.parser import parse_table
from stores.redshift import Session, Statement, connect

_SIZE = re.compile("LIMIT_PLACEHOLDER", re.IGNORECASE)


class ColumnCheckParameters(ComparisonParameters):
    """What column-check is told."""

    table_definition: str | None = Field(
        default=None,
        description="definition of the warehouse table: names, types and key of the columns to compare; "
        "may be left out beside --destination-sql and --keys",
    )
    destination_table_definition: str | None = Field(default=None, description="Dataduct's name of --table-definition")
    destination_sql: str | None = Field(
        default=None, description="compare the rows of this query in the warehouse instead of the whole table"
    )
    keys: tuple[str, ...] = Field(default=(), description="columns that identify a row; default: the primary key")
    columns: tuple[str, ...] = Field(default=(), description="columns to compare; default: all of the definition")
    sql_tail_for_source: str | None = Field(
        default=None,
        description="chooses the sample of the source instead of chance: what stands behind its FROM; "
        "LIMIT_PLACEHOLDER is the sample size, e.g. 'ORDER BY id DESC LIMIT LIMIT_PLACEHOLDER'",
    )
    sample_size: int = Field(default=1000, ge=1, le=1_000_000, description="rows to draw from each side")

    @model_validator(mode="after")
    def _one_source_and_a_table(self) -> Self:
        by_one_name(
            table_definition=self.table_definition, destination_table_definition=self.destination_table_definition
        )
        exactly_one(source_table=self.source_place, source_sql=self.source_sql)
        if self.definition is None and not (self.destination_sql and self.keys):
            raise ValueError("give --table-definition, or --destination-sql and --keys")
        return self

    @property
    def definition(self) -> str | None:
        """The definition of the warehouse table."""
        return self.table_definition or self.destination_table_definition


def run(parameters: ColumnCheckParameters, context: StepContext) -> StepResult:
    """Compare a sample drawn from both sides and conclude as the parameters say.

    Raises:
        ParameterError: no key, or a column that the table does not have.
        CheckFailed: more differences than the tolerance, and the step is to fail.
        StoreError: a side refuses or cannot be reached.
    """
    settings = load_settings(environment=context.environment)
    table = defined_table(parameters.definition, settings) if parameters.definition else None
    place = table.name.sql if table and not parameters.destination_sql else None
    relation = warehouse_relation(place, parameters.destination_sql)
    keys = tuple(key.lower() for key in parameters.keys) or (table.key if table else ())
    with connect(warehouse_settings(settings), cancelled=context.cancelled) as session:
        known = table or described_table(session, relation)
        types = compared_types(known, keys, [name.lower() for name in parameters.columns])
        with open_source(parameters.source, settings, context.cancelled, types) as found:
            source = replace(found, tail=tail_of(parameters))
            comparison = SampleComparison(source, warehouse_side(session, relation), types, keys)
            sample = comparison.from_source(parameters.sample_size) + comparison.from_target(parameters.sample_size)
    report = CheckReport(
        check="column-check",
        schema=known.name.schema or "public",
        table=known.name.name,
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


def tail_of(parameters: ColumnCheckParameters) -> str | None:
    """Return what chooses the sample of the source, with the sample's size filled in."""
    tail = parameters.sql_tail_for_source
    return None if tail is None else _SIZE.sub(str(parameters.sample_size), tail)


def described_table(session: Session, relation: str) -> Table:
    """Return the table that a query of the warehouse would make."""
    described = session.types(Statement(f"SELECT * FROM {relation} WHERE 1 = 0", "describe the query"))
    fields = ", ".join(f"{quote(name)} {kind}" for name, kind in described)
    return parse_table(f"CREATE TABLE query ({fields})")


STEP = Step(
    name="column-check",
    summary="Compare a sample of rows, value by value, between the source and the warehouse.",
    parameters=ColumnCheckParameters,
    run=run,
)
