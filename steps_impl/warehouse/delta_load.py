"""The step ``delta-load``: an ``upsert`` of the rows that are not older than the target's latest, less a window.

Dataduct's step of that name. The target's latest date is asked for behind its lock; a target without rows takes all.
"""

from __future__ import annotations

from typing import Self

from pydantic import Field, field_validator, model_validator

from steps_impl.contract import StepContext, StepResult
from steps_impl.registry import Step
from steps_impl.warehouse.merge_parameters import MergeParameters
from steps_impl.warehouse.plan import Mode
from steps_impl.warehouse.planning import How
from steps_impl.warehouse.running import run_merge
from steps_impl.warehouse.window import Window

#: Days of the longest window: from 1800 on.
_MOST_DAYS = 100_000


class DeltaLoadParameters(MergeParameters):
    """Parameters of ``delta-load``."""

    date_column: str = Field(description="column, of the source and of the target, that tells how new a row is")
    window: int = Field(
        default=0, ge=0, le=_MOST_DAYS, description="days before the target's latest date that are loaded again"
    )
    undated: bool = Field(default=False, description="take rows without a date each time (else they are left out)")
    mode: Mode = Field(default="delete-insert", description="how rows come in: as for upsert")

    @field_validator("date_column")
    @classmethod
    def _as_stored_too(cls, name: str) -> str:
        return name.lower()

    @model_validator(mode="after")
    def _from_the_warehouse(self) -> Self:
        if self.input:
            raise ValueError("delta-load takes its rows from the warehouse: --source-table, -sql or -script")
        if self.mode == "merge" and not self.enforce_primary_key:
            raise ValueError("--mode merge needs every key once; leave out --no-enforce-primary-key")
        return self


def run(parameters: DeltaLoadParameters, context: StepContext) -> StepResult:
    """Merge the new rows into the table and return what happened, in rows."""
    window = Window(parameters.date_column, parameters.window, parameters.undated)
    return run_merge(parameters, context, How(parameters.mode, window=window))


STEP = Step(
    name="delta-load",
    summary="Merge the newest rows of a table or query of the warehouse into a Redshift table, by a date column.",
    parameters=DeltaLoadParameters,
    run=run,
)
