"""AWS Data Pipeline as a task source (API Reference: PollForTask, ReportTaskProgress, SetTaskStatus …)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.budget import Budget
from agent.contact import Contact
from agent.source import Handed, Verdict
from agent.sources.instance_identity import InstanceIdentity
from core.errors import OwnershipLost, StoreUnreachable, Throttled
from stores.endpoint import Endpoint
from stores.json_client import JsonClient

#: The service holds a poll for up to 90 s; a client that gives up earlier loses the task that was on its way.
POLL_TIMEOUT = 100.0  # seconds
#: An answer may take half a minute when the network or the service is unwell; the acknowledgement has 110 s.
CALL_TIMEOUT = 45.0  # seconds
#: Objects that one DescribeObjects call may ask for.
DESCRIBE_LIMIT = 25
#: The task has been taken from us, or its pipeline is gone.
LOST = ("TaskNotFoundException", "PipelineNotFoundException", "PipelineDeletedException")
HOSTNAME_LIMIT = 1024


@dataclass(frozen=True)
class Budgets:
    """What all groups of this process may ask of the service together."""

    reports: Budget
    statuses: Budget


class DataPipelineSource:
    """Tasks of one worker group. Polls have a client of their own: long read time-out, exactly one attempt."""

    def __init__(
        self,
        endpoint: Endpoint,
        worker_group: str,
        taskrunner_id: str,
        budgets: Budgets,
        contact: Contact | None = None,
        identity: InstanceIdentity | None = None,
    ) -> None:
        self._budgets = budgets
        self._identity = identity
        self._closed = threading.Event()
        self._polls = _client(endpoint, POLL_TIMEOUT, contact, repeatable=False)
        self._calls = _client(endpoint, CALL_TIMEOUT, contact, repeatable=True)
        self._worker_group = worker_group
        self._taskrunner_id = taskrunner_id
        self._hostname = socket.gethostname()[:HOSTNAME_LIMIT]
        self._stopped = False

    def poll(self) -> Handed | None:
        """Ask for one task; an empty answer may be ``{}`` or ``{"taskObject": null}``."""
        arguments: dict[str, Any] = {"workerGroup": self._worker_group, "hostname": self._hostname}
        if self._identity and (members := self._identity.members()):
            arguments["instanceIdentity"] = members
        try:
            answer = self._polls.call("PollForTask", arguments)
        except StoreUnreachable:
            if self._stopped:
                return None
            raise
        task = answer.get("taskObject")
        if not isinstance(task, dict) or not task.get("taskId"):
            return None
        return Handed(str(task["taskId"]), task)

    def stop_polling(self) -> None:
        """Close the connection of an open poll."""
        self._stopped = True
        self._polls.close()

    def close(self) -> None:
        """Break off what is still open; every later call fails."""
        self._closed.set()
        self._polls.close()
        self._calls.close()

    def report_progress(self, task_id: str, fields: Mapping[str, str]) -> bool:
        """Acknowledge or keep the task; ``True`` means that it is cancelled."""
        listed = [{"key": key, "stringValue": value} for key, value in fields.items()]
        answer = self._call(self._budgets.reports, "ReportTaskProgress", {"taskId": task_id, "fields": listed})
        return bool(answer.get("canceled"))

    def set_status(self, task_id: str, verdict: Verdict) -> None:
        """Report the end of the task."""
        arguments = {
            "taskId": task_id,
            "taskStatus": verdict.status,
            "errorId": verdict.error_id,
            "errorMessage": verdict.error_message,
            "errorStackTrace": verdict.stack_trace,
        }
        given = {key: value for key, value in arguments.items() if value}
        self._call(self._budgets.statuses, "SetTaskStatus", given)

    def describe(self, pipeline_id: str, object_ids: Sequence[str]) -> list[Mapping[str, Any]]:
        """Return these objects, with their expressions evaluated, in calls of at most 25 ids."""
        found: list[Mapping[str, Any]] = []
        for start in range(0, len(object_ids), DESCRIBE_LIMIT):
            found += self._describe_page(pipeline_id, object_ids[start : start + DESCRIBE_LIMIT])
        return found

    def evaluate(self, pipeline_id: str, object_id: str, text: str) -> str:
        """Return a text with its expressions evaluated for this object."""
        arguments = {"pipelineId": pipeline_id, "objectId": object_id, "expression": text}
        return str(self._calls.call("EvaluateExpression", arguments)["evaluatedExpression"])

    def heartbeat(self) -> bool:
        """Say that this worker is there; ``True`` means that it shall stop."""
        arguments = {
            "taskrunnerId": self._taskrunner_id,
            "workerGroup": self._worker_group,
            "hostname": self._hostname,
        }
        return bool(self._calls.call("ReportTaskRunnerHeartbeat", arguments).get("terminate"))

    def _call(self, budget: Budget, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        budget.take(self._closed)
        try:
            return self._calls.call(operation, arguments)
        except Throttled:
            budget.throttled()
            raise

    def _describe_page(self, pipeline_id: str, ids: Sequence[str]) -> list[Mapping[str, Any]]:
        arguments: dict[str, Any] = {"pipelineId": pipeline_id, "objectIds": list(ids), "evaluateExpressions": True}
        found: list[Mapping[str, Any]] = []
        while True:
            answer = self._calls.call("DescribeObjects", arguments)
            found += answer.get("pipelineObjects") or []
            if not answer.get("hasMoreResults"):
                return found
            arguments["marker"] = answer["marker"]


def _client(endpoint: Endpoint, timeout: float, contact: Contact | None, *, repeatable: bool) -> JsonClient:
    return JsonClient(
        endpoint,
        target="DataPipeline",
        service="datapipeline",
        timeout=timeout,
        repeatable=repeatable,
        watcher=contact,
        errors=dict.fromkeys(LOST, OwnershipLost),
    )
