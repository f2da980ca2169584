"""CloudWatch Logs: the group and a stream of the doctor's own are made, and one line is sent."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from agent.doctor.finding import Finding, failed, ok, skipped
from agent.doctor.patient import Patient
from agent.doctor.policy import statement_for
from core.errors import AccessDenied, StoreError
from stores import aws

NAME = "cloudwatch"


def check_log_group(patient: Patient) -> Iterator[Finding]:
    """Send a line to the stream ``doctor/<host>``."""
    if not patient.settings.logging.cloudwatch:
        yield skipped(NAME, "logging.cloudwatch is off")
        return
    group = patient.settings.logging.cloudwatch_group or f"/ductrunner/{patient.group}"
    if not (patient.group or patient.settings.logging.cloudwatch_group):
        yield skipped(NAME, "no worker group is named")
        return
    stream = f"doctor/{patient.host}"
    try:
        _send(patient.client("logs"), group, stream)
    except AccessDenied:
        statement = statement_for("logs:PutLogEvents", REGION=patient.region, LOG_GROUP=group)
        yield failed(NAME, f"writing to the log group {group} is denied", statement=statement)
    except StoreError as error:
        yield failed(NAME, str(error))
    else:
        yield ok(NAME, f"the log group {group} takes lines (one is in the stream {stream})")


def _send(client: Any, group: str, stream: str) -> None:
    there = client.exceptions.ResourceAlreadyExistsException
    line = {"timestamp": int(time.time() * 1000), "message": "ductrunner doctor"}
    with aws.calling(f"write to the log group {group}"):
        with suppress(there):
            client.create_log_group(logGroupName=group)
        with suppress(there):
            client.create_log_stream(logGroupName=group, logStreamName=stream)
        client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[line])
