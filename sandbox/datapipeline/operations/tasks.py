"""PollForTask, ReportTaskProgress, SetTaskStatus, ReportTaskRunnerHeartbeat.

Source: AWS Data Pipeline API Reference.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sandbox.datapipeline.answers import InvalidRequest
from sandbox.datapipeline.model import INSIDE
from sandbox.datapipeline.service import Service

#: Real seconds between two looks at whether the client of a long poll is still there.
_CLIENT_CHECK_INTERVAL = 5.0
_RESERVED_ERROR_PREFIX = "Service_"


def poll_for_task(service: Service, request: dict[str, Any], client_is_there: Callable[[], bool]) -> dict[str, Any]:
    """Hand over the next task of a worker group, waiting for one up to 90 s of real time.

    A client that has gone away is not given a task. The service's lock is held between waits only.
    """
    group = request["workerGroup"]
    if group in INSIDE:
        raise InvalidRequest("workerGroup must not hold NUL")
    deadline = time.monotonic() + service.options.poll_hold
    with service.lock:
        while not service.stopping:
            with service.call():
                attempt = service.ready.take(group)
                if attempt is not None and client_is_there():
                    return {"taskObject": service.delivery.hand_over(attempt, request.get("hostname"))}
                if attempt is not None:
                    service.ready.put_back(attempt)
            remaining = deadline - time.monotonic()
            if remaining <= 0 or not client_is_there():
                break
            service.ready.wait(group, min(remaining, _CLIENT_CHECK_INTERVAL))
    return {"taskObject": None} if service.options.empty_poll == "null" else {}


def report_task_progress(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    """Take a progress report; the first acknowledges the task."""
    fields = request.get("fields") or []
    for entry in fields:
        if (entry.get("stringValue") is None) == (entry.get("refValue") is None):
            raise InvalidRequest(f"Field {entry['key']!r} needs either a stringValue or a refValue")
        if entry["key"].startswith("@"):
            raise InvalidRequest(f"Field {entry['key']!r} is read-only: the service sets the fields that begin with @")
    return {"canceled": service.delivery.report(request["taskId"], fields)}


def set_task_status(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    """Take the outcome of a task."""
    if (request.get("errorId") or "").startswith(_RESERVED_ERROR_PREFIX):
        raise InvalidRequest(f"errorId must not begin with {_RESERVED_ERROR_PREFIX}: the service uses that itself")
    named = ("errorId", "errorMessage", "errorStackTrace")
    error = {key: request[key] for key in named if request.get(key)}
    service.delivery.outcome(request["taskId"], request["taskStatus"], error)
    return {}


def report_task_runner_heartbeat(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    """Take a heartbeat; the answer says whether the task runner shall terminate."""
    details = {key: request.get(key) for key in ("workerGroup", "hostname")} | {"at": service.clock.now()}
    return {"terminate": service.heard_from(request["taskrunnerId"], details)}
