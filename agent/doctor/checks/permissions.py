"""Each call of the worker's protocol, really made, in a way that changes nothing and can take no task.

A call about a task or a pipeline that does not exist, or one that breaks a rule of the API, is answered by
``…NotFound`` or ``InvalidRequest`` where it is allowed, and by ``AccessDenied`` where it is not. A service that looked
at the form of a request before it looks at the permission would hide a missing one: IAM's policy simulator is
therefore asked too, where that is allowed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agent.doctor.finding import Finding, Status, failed, ok, warning
from agent.doctor.patient import Patient
from agent.doctor.policy import actions, statement_for
from agent.sources.datapipeline import HOSTNAME_LIMIT
from core.errors import AccessDenied, OwnershipLost, RequestRefused, StoreError, Throttled

NAME = "permissions"
SERVICE = "datapipeline:"
NO_TASK = "ductrunner-doctor-no-such-task"
NO_PIPELINE = "df-DUCTRUNNERDOCTOR0000"


def check_permissions(patient: Patient) -> Iterator[Finding]:
    """Try every call that the policy of the worker allows."""
    service = patient.service  # without keys this says so, once
    allowed: list[str] = []
    for operation, request in _requests(patient).items():
        try:
            service.call(operation, request)
        except (OwnershipLost, RequestRefused):
            allowed.append(operation)
        except Throttled:
            yield warning(NAME, f"{operation} was throttled: not known whether it is allowed", "ask again later")
        except AccessDenied as error:
            yield _denied(patient, operation, error)
        else:
            allowed.append(operation)
    if allowed:
        yield ok(NAME, f"allowed: {', '.join(allowed)}")
    yield from _simulated(patient, allowed)


def _requests(patient: Patient) -> dict[str, Mapping[str, Any]]:
    """Requests that do nothing; the group is the real one, since policies name it."""
    group = patient.group or "ductrunner-doctor"
    runner = f"{patient.host}-doctor"
    return {
        "ReportTaskRunnerHeartbeat": {"taskrunnerId": runner, "workerGroup": group, "hostname": patient.host},
        "PollForTask": {"workerGroup": group, "hostname": "x" * (HOSTNAME_LIMIT + 1)},
        "ReportTaskProgress": {"taskId": NO_TASK, "fields": []},
        "SetTaskStatus": {"taskId": NO_TASK, "taskStatus": "FAILED"},
        "DescribeObjects": {"pipelineId": NO_PIPELINE, "objectIds": ["Default"]},
        "QueryObjects": {"pipelineId": NO_PIPELINE, "sphere": "ATTEMPT"},
    }


def _denied(patient: Patient, operation: str, error: AccessDenied) -> Finding:
    if f"{operation} was answered AccessDenied" not in str(error):
        return failed(NAME, str(error))
    statement = statement_for(SERVICE + operation, WORKER_GROUP=patient.group)
    return failed(NAME, f"{SERVICE}{operation} is denied", statement=statement)


def _simulated(patient: Patient, allowed: list[str]) -> Iterator[Finding]:
    """Compare with IAM's simulator; whoever may not ask it learns nothing, which is no finding."""
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        answer = patient.client("iam").simulate_principal_policy(
            PolicySourceArn=_principal(patient.caller["Arn"]),
            ActionNames=actions(SERVICE),
            ContextEntries=[
                {
                    "ContextKeyName": "datapipeline:workerGroup",
                    "ContextKeyValues": [patient.group],
                    "ContextKeyType": "string",
                }
            ],
        )
    except (BotoCoreError, ClientError, ResponseParserError, StoreError):
        return
    for result in answer["EvaluationResults"]:
        operation = str(result["EvalActionName"]).removeprefix(SERVICE)
        if result["EvalDecision"] != "allowed" and operation in allowed:
            statement = statement_for(SERVICE + operation, WORKER_GROUP=patient.group)
            message = f"IAM's simulator says that {SERVICE}{operation} is denied, though the call went through"
            yield Finding(NAME, Status.WARNING, message, "check the role's policies", statement)


def _principal(arn: str) -> str:
    """Return the role behind an assumed role (``arn:aws:sts::1:assumed-role/NAME/SESSION``); others stay."""
    head, separator, tail = arn.partition(":assumed-role/")
    return f"{head.replace(':sts:', ':iam:')}:role/{tail.partition('/')[0]}" if separator else arn
