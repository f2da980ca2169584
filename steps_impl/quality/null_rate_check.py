"""``null-rate-check``: how many values of a column may be missing, each column with a limit of its own.

One scan counts all columns; each gets a report and a log row. A relation without rows has no rate and fails, unless
`--allow-empty`.
"""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from core.errors import ParameterError
from core.settings import load_settings
from steps_impl.contract import StepContext, StepResult
from steps_impl.quality.engines import Column
from steps_impl.quality.engines.parameters import RelationParameters
from steps_impl.quality.null_rates import null_query, null_reports, parse_limits
from steps_impl.quality.report import conclude_all
from steps_impl.registry import Step


class NullRateParameters(RelationParameters):
    """What null-rate-check is told."""

    tolerance: float = Field(
        default=0.0, ge=0, le=100, description="highest share of NULL of a column without its own limit (in percent)"
    )
    columns: tuple[str, ...] = Field(
        min_length=1, description="columns to look at, each as COLUMN or COLUMN=PERCENT with a limit of its own"
    )
    blank_is_null: bool = Field(default=False, description="count texts without anything but blanks as NULL")
    allow_empty: bool = Field(default=False, description="a relation without rows passes")

    @model_validator(mode="after")
    def _limits(self) -> Self:
        parse_limits(self.columns, self.tolerance)
        return self


def run(parameters: NullRateParameters, context: StepContext) -> StepResult:
    """Count values and conclude as the parameters say.

    Raises:
        ParameterError: a column that the relation does not have.
        CheckFailed: a column is over its limit, and the step is to fail.
        StoreError: the host refuses or cannot be reached.
    """
    settings = load_settings(environment=context.environment)
    limits = parse_limits(parameters.columns, parameters.tolerance)
    with parameters.opened(settings, context) as (end, relation):
        described = end.columns(relation)
        known = {column.name.lower(): column for column in described}
        if unknown := [name for name in limits if name.lower() not in known]:
            raise ParameterError(f"--columns: there is no {', '.join(unknown)}; it has: {', '.join(sorted(known))}")
        chosen = [known[name.lower()] for name in limits]
        texts = [column.name for column in chosen if parameters.blank_is_null and _may_be_blank(column)]
        query = null_query(relation, [column.name for column in chosen], end.quote, blank=texts)
        counts = [int(str(count)) for count in end.rows(query)[0]]
    reports = null_reports(parameters.place, limits, counts, empty=0.0 if parameters.allow_empty else None)
    return conclude_all(reports, parameters, settings, context)


def _may_be_blank(column: Column) -> bool:
    return column.kind in {"text", "char"} and column.type not in {"json", "enum"}  # which Postgres cannot trim


STEP = Step(
    name="null-rate-check",
    summary="Check the share of NULL in columns of a table or query on any host.",
    parameters=NullRateParameters,
    run=run,
)
