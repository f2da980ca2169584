"""The SNS topics: whether they are there and may be published to, without a message unless one is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from agent.doctor.finding import Finding, failed, ok, skipped
from agent.doctor.patient import Patient
from agent.doctor.policy import statement_for
from core.errors import AccessDenied, NotFound, StoreError
from stores import aws
from stores.notifications import SUBJECT_LENGTH, Topic

NAME = "sns"
_ARN_PARTS = 6


def check_topics(patient: Patient) -> Iterator[Finding]:
    """Try each topic of the configuration, once."""
    etl = patient.settings.etl
    topics = {
        "alerts.topic": patient.settings.alerts.topic,
        "etl.sns_topic_arn_failure": etl.sns_topic_arn_failure,
        "etl.sns_topic_arn_warning": etl.sns_topic_arn_warning,
    }
    named = {arn: key for key, arn in reversed(topics.items()) if arn}
    if not named:
        yield skipped(NAME, "no topic is set (alerts.topic): nobody is told of failed attempts")
    for arn, key in named.items():
        yield _try(patient, arn, key)


def _try(patient: Patient, arn: str, key: str) -> Finding:
    parts = arn.split(":")
    if len(parts) != _ARN_PARTS or parts[2] != "sns":
        return failed(NAME, f"{key} is {arn!r}, which is no topic", "write arn:aws:sns:REGION:ACCOUNT:NAME")
    try:
        if patient.send_test:
            Topic(arn).publish("Ductrunner: a test", f"ductrunner doctor --send-test on {patient.host}\n")
            return ok(NAME, f"{arn}: a test message was published")
        _ask(patient.client("sns", parts[3]), arn)
    except AccessDenied:
        statement = statement_for("sns:Publish", REGION=parts[3], ACCOUNT=parts[4], TOPIC=parts[5])
        return failed(NAME, f"sns:Publish to {arn} is denied", statement=statement)
    except NotFound:
        return failed(NAME, f"there is no topic {arn}", f"create it, or correct {key}")
    except StoreError as error:
        return failed(NAME, str(error))
    return ok(NAME, f"{arn} can be published to")


def _ask(client: Any, arn: str) -> None:
    """Return when the topic takes messages: one with a subject that is too long is refused as invalid then.

    Raises:
        StoreError: it is not there, not reached, or denied.
    """
    with suppress(AccessDenied), aws.calling(f"look at the topic {arn}"):
        client.get_topic_attributes(TopicArn=arn)
    with aws.calling(f"publish to {arn}"), suppress(client.exceptions.InvalidParameterException):
        client.publish(TopicArn=arn, Subject="x" * (SUBJECT_LENGTH + 1), Message="ductrunner doctor")
