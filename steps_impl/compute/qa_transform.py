"""``qa-transform``: a check that is a script of the user's.

The script is told ``--test_name`` and, where one is known, ``--sns_topic_arn``, as Dataduct tells it. Its exit status
is the result: 0 is a passed check, any other a failed one. What it says stays in the logs: reports have no row data.
"""

from __future__ import annotations

from core.settings import Settings, load_settings
from steps_impl.compute.parameters import ScriptParameters
from steps_impl.compute.running import Ending
from steps_impl.compute.script_run import open_script
from steps_impl.contract import ATTEMPT_VARIABLE, PIPELINE_VARIABLE, StepContext, StepResult
from steps_impl.quality.report import CheckParameters, CheckReport, conclude
from steps_impl.registry import Step

_NAME = "qa-transform"


class QaTransformParameters(ScriptParameters, CheckParameters):
    """What is run, and what becomes of its exit status."""


def run(parameters: QaTransformParameters, context: StepContext) -> StepResult:
    """Run the script, report its result and conclude as the parameters say; outputs are published unless that fails.

    Raises:
        CheckFailed: the script ended with another status than 0, and the step is to fail.
        CommandKilled, ActivityTimedOut: it did not come to a result; whatever ``on_failure`` says.
        NotFound, ScriptNotFound, DiskFull, StagingFailed, StoreError: as ``transform``.
    """
    settings = load_settings(environment=context.environment)
    named = parameters.model_copy(update={"test_name": parameters.test_name or _test_name(context)})
    with open_script(parameters, context, settings) as script:
        ending = script.execute(_arguments(named, settings))
        result = conclude(_report(named, ending), named, settings, context)
        published = script.publish()
    return StepResult(bytes=published.bytes, details={**result.details, **published.details})


def _arguments(parameters: QaTransformParameters, settings: Settings) -> tuple[str, ...]:
    topic = parameters.sns_topic_arn or settings.etl.sns_topic_arn_warning
    told = (f"--test_name={parameters.test_name}",)
    return (*told, f"--sns_topic_arn={topic}") if topic else told


def _report(parameters: QaTransformParameters, ending: Ending) -> CheckReport:
    return CheckReport(
        check=_NAME,
        schema="",
        table=parameters.test_name or _NAME,
        tolerance=parameters.tolerance,
        error_rate=100.0 if ending.status else 0.0,
        counts={"exit_status": ending.status},
        finding=f"{ending.title} ended with exit status {ending.status}",
    )


def _test_name(context: StepContext) -> str:
    """Return ``<pipeline>.<component>`` of the task, as far as there is one."""
    instance = context.environment.get(ATTEMPT_VARIABLE, "").lstrip("@").partition("_Attempt=")[0]
    component = instance.rpartition("_")[0] or instance or _NAME
    pipeline = context.environment.get(PIPELINE_VARIABLE)
    return f"{pipeline}.{component}" if pipeline else component


STEP = Step(
    name=_NAME,
    summary="Run a check that is a script: its exit status is the result.",
    parameters=QaTransformParameters,
    run=run,
)
