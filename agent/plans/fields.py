"""Fields of pipeline objects that are the service's own affair: a worker reads past them, in every object.

Source: Developer Guide, *Pipeline object reference*, the fields that all activities and data nodes have.
"""

from __future__ import annotations

#: What the service schedules, retries and inherits by, and the slots that it fills in.
SERVICE_FIELDS = frozenset({
    "attemptStatus", "attemptTimeout", "cancellationReason", "cascadeFailedOn", "currentRetryCount", "dependsOn",
    "description", "emrStepLog", "errorId", "errorMessage", "errorStackTrace", "failureAndRerunMode", "hadoopJobLog",
    "healthStatus", "hostname", "httpProxy", "lastRetryTime", "lateAfterTimeout", "maxActiveInstances",
    "maximumRetries", "node", "onFail", "onLateAction", "onSuccess", "parent", "pipelineLogUri", "precondition",
    "reportProgressTime", "reportProgressTimeout", "resourceRole", "retryDelay", "role", "runAsUser", "runsOn",
    "schedule", "scheduleType", "sphere", "waitingOn", "workerGroup",
})  # fmt: skip


def is_own(key: str) -> bool:
    """Tell whether a field says something about the work: no runtime field, no user's field, none of the service's."""
    name = key.removeprefix("*")
    user = name.startswith("_") or (name.startswith("my") and name[2:3].isupper())
    return not (name.startswith("@") or user or name in SERVICE_FIELDS)
