"""The step ``reload``: all rows of a Redshift table replaced by those of a source, in one transaction.

Dataduct's step of that name: an ``upsert`` that deletes every row first. By DELETE, never by TRUNCATE, which would
commit and leave an empty table behind a load that fails. A source without rows is taken for a broken one.
"""

from __future__ import annotations

from pydantic import Field

from steps_impl.contract import StepContext, StepResult
from steps_impl.registry import Step
from steps_impl.warehouse.merge_parameters import MergeParameters
from steps_impl.warehouse.planning import How
from steps_impl.warehouse.running import run_merge


class ReloadParameters(MergeParameters):
    """Parameters of ``reload``."""

    allow_empty: bool = Field(
        default=False, description="let a source without rows empty the target (else it is refused)"
    )


def run(parameters: ReloadParameters, context: StepContext) -> StepResult:
    """Replace the table's rows and return what happened, in rows."""
    return run_merge(parameters, context, How(delete_existing=True, allow_empty=parameters.allow_empty))


STEP = Step(
    name="reload",
    summary="Replace all rows of a Redshift table by those of files or of the warehouse, checked before the commit.",
    parameters=ReloadParameters,
    run=run,
)
