"""``transform``: a script of the user's between S3 and S3.

Dataduct's step of that name, with its staging contract (``INPUTn_STAGING_DIR``, ``OUTPUTn_STAGING_DIR``), as a step
that brings the inputs, runs the script and publishes the outputs itself. What the worker has staged already for a
ShellCommandActivity with ``stage`` is shown to the script too, and published by the worker as ever.
"""

from __future__ import annotations

from core.settings import load_settings
from steps_impl.compute.parameters import ScriptParameters
from steps_impl.compute.script_run import open_script
from steps_impl.contract import StepContext, StepResult
from steps_impl.registry import Step


def run(parameters: ScriptParameters, context: StepContext) -> StepResult:
    """Bring the inputs, run the script, publish the outputs.

    Raises:
        NotFound, ScriptNotFound: an input or the script is not there; nothing was run.
        DiskFull: the inputs do not fit.
        CommandFailed, CommandKilled, ActivityTimedOut: the script did not end well; nothing was published.
        StagingFailed, StoreError: the outputs could not be published.
    """
    with open_script(parameters, context, load_settings(environment=context.environment)) as script:
        script.execute().check()
        return script.publish()


STEP = Step(
    name="transform",
    summary="Run a command or script on inputs of S3 and publish what it writes.",
    parameters=ScriptParameters,
    run=run,
)
