"""The step ``upsert``: new and changed rows into a Redshift table, checked before anybody sees them.

One transaction: lock the target, stage the rows in a temporary table of a unique name, keep one row for each key,
bring them into the target by the chosen mode, check, commit. A failed check, a killed process or a lost connection
leaves the table as it was. A serialization failure starts all over on a new connection.

Which of several rows with one key wins is said by ``--order-by``; where that is silent, the greatest values of the
remaining columns win, in the order of the definition, so that the same input always gives the same table.
"""

from __future__ import annotations

from steps_impl.contract import StepContext, StepResult
from steps_impl.registry import Step
from steps_impl.warehouse.planning import How
from steps_impl.warehouse.running import run_merge
from steps_impl.warehouse.upsert_parameters import UpsertParameters


def run(parameters: UpsertParameters, context: StepContext) -> StepResult:
    """Merge the source's rows into the table and return what happened, in rows."""
    return run_merge(parameters, context, How(parameters.mode, parameters.delete_existing, parameters.allow_empty))


STEP = Step(
    name="upsert",
    summary="Merge rows from files or from the warehouse into a Redshift table, checked before the commit.",
    parameters=UpsertParameters,
    run=run,
)
