"""``notify``: publishes one message to an SNS topic."""

from __future__ import annotations

from pydantic import Field

from core.errors import ParameterError
from core.settings import load_settings
from steps_impl.contract import StepContext, StepResult
from steps_impl.registry import Parameters, Step
from stores import notifications


class NotifyParameters(Parameters):
    """What is said, and to whom."""

    message: str = Field(min_length=1, description="the text; known secrets are removed from it")
    subject: str = Field(default="Ductrunner", description="at most 100 characters of ASCII; the rest is cut off")
    sns_topic_arn: str | None = Field(default=None, description="topic; default: etl.sns_topic_arn_warning")


def run(parameters: NotifyParameters, context: StepContext) -> StepResult:
    """Publish the message and return its id.

    Raises:
        ParameterError: no topic is known.
        StoreError: the topic is not there, may not be published to, or SNS cannot be reached.
    """
    topic = parameters.sns_topic_arn or load_settings(environment=context.environment).etl.sns_topic_arn_warning
    if not topic:
        raise ParameterError("no topic: give --sns-topic-arn or set etl.sns_topic_arn_warning in the configuration")
    return StepResult(details={"message_id": notifications.publish(topic, parameters.subject, parameters.message)})


STEP = Step(
    name="notify",
    summary="Publish a message to an SNS topic.",
    parameters=NotifyParameters,
    run=run,
)
