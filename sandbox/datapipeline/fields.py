"""Runtime fields: what the service says about a component, an instance or an attempt.

Source: AWS Data Pipeline Developer Guide, *Runtime fields* and *System fields* of each object's page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sandbox.datapipeline.clock import text_of
from sandbox.datapipeline.model import ApiField, Attempt, Instance, Pipeline, Status
from sandbox.datapipeline.state import State
from sandbox.datapipeline.upcoming import next_run

Fields = list[ApiField]
#: What stands on the instance of an Ec2Resource or EmrCluster.
_MAPPED = "Mapped to the worker group of --managed-worker-group; the sandbox starts no machine"


def text(key: str, value: str) -> ApiField:
    """Return a field that is a string."""
    return {"key": key, "stringValue": value}


def ref(key: str, object_id: str) -> ApiField:
    """Return a field that refers to an object."""
    return {"key": key, "refValue": object_id}


def time(key: str, seconds: float | None) -> Fields:
    """Return a field that is a time; none if there is no time."""
    return [] if seconds is None else [text(key, text_of(seconds))]


def texts(fields: Iterable[ApiField]) -> dict[str, str]:
    """Return the first value of each field by its key; of a reference, the id."""
    found: dict[str, str] = {}
    for entry in fields:
        found.setdefault(entry["key"], entry.get("stringValue", entry.get("refValue", "")))
    return found


def component_fields(state: State, pipeline: Pipeline, component: str) -> Fields:
    """Return the runtime fields of a component."""
    runtime: Fields = [text("@sphere", "COMPONENT"), text("@pipelineId", pipeline.id)]
    runtime.append(text("@version", str(pipeline.latest_version)))
    if (upcoming := next_run(state, pipeline, component)) is not None:
        runtime += time("@nextRunTime", upcoming)
    instances = state.instances_of(pipeline, component)
    if not instances:
        return runtime
    runtime.append(text("@status", _component_status(pipeline, component)))
    runtime += [ref("@activeInstances", entry.id) for entry in instances if not entry.terminal]
    runtime += time("@latestRunTime", instances[-1].scheduled_start)
    runtime += time("@lastDeactivatedTime", pipeline.last_deactivated)
    last = last_completed(instances)
    if last is not None:
        runtime += [
            text("@healthStatus", health_of(last)),
            ref("@healthStatusFromInstanceId", last.id),
            *time("@healthStatusUpdatedTime", last.ended),
            *time("@latestCompletedRunTime", last.scheduled_start),
        ]
    return runtime


def last_completed(instances: Iterable[Instance]) -> Instance | None:
    """Return the instance that ended last; it decides about the health of its component. What is skipped never ran."""
    ended = [entry for entry in instances if entry.terminal and entry.status != Status.SKIPPED]
    return max(ended, key=lambda entry: (entry.ended or 0, entry.run, entry.scheduled_start), default=None)


def health_of(instance: Instance) -> str:
    """Return what an instance that has ended says about health (Developer Guide, *Interpreting … health state*)."""
    return "HEALTHY" if instance.status == Status.FINISHED else "ERROR"


def instance_identity(instance: Instance) -> Fields:
    """Return those runtime fields of an instance that never change."""
    return [
        text("@sphere", "INSTANCE"),
        text("@pipelineId", instance.pipeline_id),
        ref("@componentParent", instance.component),
        text("@version", str(instance.version)),
        *time("@scheduledStartTime", instance.scheduled_start),
        *time("@scheduledEndTime", instance.scheduled_end),
        *_node(instance),
    ]


def instance_fields(state: State, instance: Instance) -> Fields:
    """Return the runtime fields of an instance."""
    runtime: Fields = [
        *instance_identity(instance),
        text("@status", instance.status),
        *time("@actualStartTime", instance.started),
        *time("@actualEndTime", instance.ended),
        *time("@finishedTime", instance.ended if instance.status == Status.FINISHED else None),
    ]
    if not instance.terminal:
        runtime.append(ref("@activeInstances", instance.id))
    if head := instance.head_attempt:
        runtime.append(ref("@headAttempt", head))
    if instance.status in (Status.WAITING_ON_DEPENDENCIES, Status.CASCADE_FAILED):
        runtime += [ref("@waitingOn", entry.id) for entry in state.waiting_on(instance)]
    if instance.component in state.plan_of(instance).users:
        runtime.append(text("attemptStatus", _MAPPED))
    if instance.cascade_failed_on:
        runtime.append(ref("@cascadeFailedOn", instance.cascade_failed_on))
    if instance.cancellation_reason:
        runtime.append(text("cancellationReason", instance.cancellation_reason))
    if instance.error:
        return runtime + _failure(instance.error)
    attempt = state.head(instance)
    return runtime + (_reported(attempt) if attempt else [])


def attempt_fields(state: State, attempt: Attempt) -> Fields:
    """Return the runtime fields of an attempt."""
    instance = state.instance_of(attempt)
    runtime: Fields = [
        text("@sphere", "ATTEMPT"),
        text("@pipelineId", attempt.pipeline_id),
        ref("@componentParent", instance.component),
        ref("@instanceParent", instance.id),
        text("@status", attempt.status),
        text("@version", str(instance.version)),
        *time("@scheduledStartTime", instance.scheduled_start),
        *time("@scheduledEndTime", instance.scheduled_end),
        *time("@actualStartTime", attempt.started),
        *time("@actualEndTime", attempt.ended),
        *time("@finishedTime", attempt.ended if attempt.status == Status.FINISHED else None),
        *_node(instance),
    ]
    if not instance.terminal:
        runtime.append(ref("@activeInstances", instance.id))
    if attempt.status == Status.CANCELED and instance.cancellation_reason:
        runtime.append(text("cancellationReason", instance.cancellation_reason))
    return runtime + _reported(attempt)


def _node(instance: Instance) -> Fields:
    """Return the back reference of a precondition or an action to what it is there for."""
    return [ref("node", instance.owner)] if instance.owner is not None else []


def _reported(attempt: Attempt) -> Fields:
    runtime: Fields = []
    if attempt.hostname:
        runtime.append(text("hostname", attempt.hostname))
    runtime += time("reportProgressTime", attempt.reported)
    runtime += attempt.progress.values()
    return runtime + _failure(attempt.error)


def _failure(error: Mapping[str, str]) -> Fields:
    fields = [text(*entry) for entry in error.items()]
    return fields + ([text("@failureReason", error["errorMessage"])] if "errorMessage" in error else [])


def _component_status(pipeline: Pipeline, component: str) -> str:
    return Status.PAUSED if component in pipeline.paused else pipeline.state
