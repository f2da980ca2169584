"""``teardown``: the last step of a pipeline; tells an SNS topic which of the other steps failed.

Dataduct's teardown depends on all other steps and reaches the topic through a cascade (dataduct.md, hooks); a
step that depends on the others is not run at all when one of them fails. This one therefore depends on nothing:
it waits for the other steps of its own run to end, and it occupies one slot of the worker while it waits (so the
worker needs ``--tasks`` 2 or more).
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from core.errors import ParameterError
from core.redaction import REDACTOR
from core.settings import load_settings
from steps_impl.contract import ATTEMPT_VARIABLE, PIPELINE_VARIABLE, StepContext, StepResult
from steps_impl.registry import Parameters, Step
from stores import notifications
from stores.datapipeline import SUCCEEDED, Instance, PipelineRuns

#: Characters of one step's error text in the message.
ERROR_LENGTH = 600


class TeardownParameters(Parameters):
    """What teardown is told."""

    sns_topic_arn: str | None = Field(
        default=None, description="topic for failures; default: etl.sns_topic_arn_failure of the configuration"
    )
    pipeline_id: str | None = Field(
        default=None, description="pipeline to look at; default: the one of this task ($DUCTRUNNER_PIPELINE_ID)"
    )
    wait: bool = Field(default=True, description="wait until every other step of the run has ended")
    refresh_rate: float = Field(default=30.0, gt=0, le=3600, description="seconds between two looks at the run")
    notify_success: bool = Field(default=False, description="publish a message also when nothing failed")


def run(parameters: TeardownParameters, context: StepContext) -> StepResult:
    """Wait for the other steps, publish those that failed, and return their numbers.

    Raises:
        ParameterError: no pipeline or no topic is known.
        StoreError: the service or the topic cannot be reached; nothing was published then.
    """
    etl = load_settings(environment=context.environment).etl
    topic = parameters.sns_topic_arn or etl.sns_topic_arn_failure
    pipeline_id = parameters.pipeline_id or context.environment.get(PIPELINE_VARIABLE)
    if not topic:
        raise ParameterError("no topic: give --sns-topic-arn or set etl.sns_topic_arn_failure in the configuration")
    if not pipeline_id:
        raise ParameterError("no pipeline: give --pipeline-id (only a task of a worker knows its own)")
    runs = PipelineRuns(pipeline_id, etl.region)
    others = _ended(runs, parameters, context)
    failed = [instance for instance in others if instance.status not in SUCCEEDED]
    published = bool(failed) or parameters.notify_success
    if published:
        name = runs.name()
        notifications.publish(topic, _subject(name, failed), message(name, pipeline_id, others, failed))
    return StepResult(
        details={"steps": len(others), "failed": [instance.id for instance in failed], "published": published}
    )


def _ended(runs: PipelineRuns, parameters: TeardownParameters, context: StepContext) -> list[Instance]:
    while True:
        others = same_run(runs.instances(), context.environment.get(ATTEMPT_VARIABLE, ""))
        open_steps = [instance for instance in others if not instance.ended]
        if not open_steps or not parameters.wait:
            return [instance for instance in others if instance.ended]
        context.reporter.progress(f"waits for {len(open_steps)} of {len(others)} steps")
        if context.cancelled.wait(parameters.refresh_rate):
            raise InterruptedError("teardown was cancelled while it waited")


def same_run(instances: Sequence[Instance], own_attempt: str) -> list[Instance]:
    """Return the other instances of the run that ``own_attempt`` (an attempt's id) belongs to.

    A run is what shares a scheduled start. Without an own attempt (called by hand) that is the newest start.
    """
    own = own_attempt.partition("_Attempt=")[0]
    starts = {instance.id: instance.scheduled_start for instance in instances}
    start = starts.get(own) or max(starts.values(), default="")
    return [instance for instance in instances if instance.scheduled_start == start and instance.id != own]


def _subject(name: str, failed: Sequence[Instance]) -> str:
    return f"Failure on {name}" if failed else f"Success of {name}"


def message(name: str, pipeline_id: str, others: Sequence[Instance], failed: Sequence[Instance]) -> str:
    """Return the text of the notification: counts first, then each failed step with its error."""
    head = f"Pipeline {name} ({pipeline_id}): {len(failed)} of {len(others)} steps did not finish."
    return "\n\n".join([head, *map(_paragraph, failed)]) + "\n"


def _paragraph(instance: Instance) -> str:
    lines = [
        f"{instance.component}: {instance.status}",
        f"scheduled start: {instance.scheduled_start}   attempts: {instance.attempts}",
    ]
    if instance.error_id or instance.error_message:
        text = REDACTOR.redact(instance.error_message)[:ERROR_LENGTH]
        lines.append(f"{instance.error_id or 'error'}: {text}")
    return "\n".join(lines)


STEP = Step(
    name="teardown",
    summary="Wait for the other steps of the run and publish those that failed to SNS.",
    parameters=TeardownParameters,
    run=run,
)
