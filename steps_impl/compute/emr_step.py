"""``emr-step``: steps as EMR writes them (``jar,argument,argument``), on the cluster's primary node.

Dataduct's step of that name. A job's output is the job's own affair: most jobs refuse a folder that is there already.
"""

from __future__ import annotations

from pydantic import Field

from steps_impl.activities import emr_activity
from steps_impl.activities.objects.base import Several
from steps_impl.contract import StepContext, StepResult
from steps_impl.registry import Parameters, Step

_NAME = "emr-step"


class EmrStepParameters(Parameters):
    """What is run."""

    step_string: Several[str] = Field(
        min_length=1,
        max_length=emr_activity.LIMIT,
        description="`jar,argument,argument`, once per step, in order; a comma with backslashes before it belongs to "
        "the argument",
    )


def run(parameters: EmrStepParameters, context: StepContext) -> StepResult:
    """Run the steps in order; the first that fails ends it.

    Raises:
        ParameterError: a step names no jar; nothing was run then.
        ProgramMissing, ScriptNotFound, CommandFailed, CommandKilled: the message says which step.
    """
    activity = emr_activity.EmrActivityParameters(id=_NAME, step=parameters.step_string)
    return emr_activity.run(activity, context)


STEP = Step(
    name=_NAME,
    summary="Run steps in EMR's form (jar,argument,…) on the cluster's primary node.",
    parameters=EmrStepParameters,
    run=run,
)
