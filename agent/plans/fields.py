"""Fields of pipeline objects that are the service's own affair: a worker reads past them, in every object.

Source: Developer Guide, *Pipeline object reference*, the fields that all activities and data nodes have.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from agent import log
from agent.progress import WITH_STEPS
from core.errors import TaskMalformed
from core.known_fields import KNOWN_FIELDS

if TYPE_CHECKING:
    from agent.task import PipelineObject

#: What a definition's ``Default`` often says for its resources, and every object inherits.
_OF_RESOURCES = frozenset({
    "actionOnResourceFailure", "actionOnTaskFailure", "availabilityZone", "initTimeout", "instanceType", "keyPair",
    "securityGroupIds", "securityGroups", "subnetId", "terminateAfter", "useOnDemandOnLastAttempt",
})  # fmt: skip
#: What the service schedules, retries and inherits by, and the slots that it fills in.
SERVICE_FIELDS = _OF_RESOURCES | frozenset({
    "attemptStatus", "attemptTimeout", "cancellationReason", "cascadeFailedOn", "currentRetryCount", "dependsOn",
    "description", "emrStepLog", "errorId", "errorMessage", "errorStackTrace", "failureAndRerunMode", "hadoopJobLog",
    "healthStatus", "hostname", "httpProxy", "lastRetryTime", "lateAfterTimeout", "maxActiveInstances",
    "maximumRetries", "node", "onFail", "onLateAction", "onSuccess", "parent", "pipelineLogUri", "precondition",
    "reportProgressTime", "reportProgressTimeout", "resourceRole", "retryDelay", "role", "runAsUser", "runsOn",
    "schedule", "scheduleType", "sphere", "waitingOn", "workerGroup",
})  # fmt: skip

#: What a worker reports of an attempt: the attempt has it when it is handed out again.
_REPORTED = frozenset({"bytes", "percentComplete", "rows", "step"})


def is_own(key: str, kind: str) -> bool:
    """Tell whether a field says something about the work of an object of the type ``kind``.

    Runtime fields, a user's fields, the service's and what a worker has reported do not.
    """
    name = key.removeprefix("*")
    if name in _REPORTED:
        return name == "step" and kind == WITH_STEPS
    user = name.startswith("_") or (name.startswith("my") and (name[2:3].isupper() or name[2:3] == "_"))
    return not (name.startswith("@") or user or name in SERVICE_FIELDS)


def check_fields(item: PipelineObject, component: str, known: Iterable[str]) -> None:
    """Refuse a field that no type of object has: it is misspelt, and leaving it out would change the work.

    One that other types have may come from ``Default``: it is read past, and said.

    Raises:
        TaskMalformed: there is one; the message names it and lists those that are known.
    """
    kind = item.type  # looked up once: a task may hold any number of fields
    others = sorted({field.key for field in item.fields if is_own(field.key, kind)} - {"id", "name", "type", *known})
    unknown = [key for key in others if key not in KNOWN_FIELDS]
    if unknown:
        raise TaskMalformed(
            f"{component} ({item.type}) has the field {unknown[0]!r}, which is not known here; known are: "
            f"{', '.join(sorted(known))}, the fields that every object has, and fields of one's own (my…, _…)"
        )
    if others:
        log.event("fields_without_use", level="WARNING", component=component, type=item.type, fields=others)
