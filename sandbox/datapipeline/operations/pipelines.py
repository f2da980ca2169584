"""CreatePipeline, DeletePipeline, DescribePipelines, ListPipelines, AddTags, RemoveTags.

Source: AWS Data Pipeline API Reference.
"""

from __future__ import annotations

import math
import secrets
import string
from typing import Any

from sandbox.datapipeline import limits
from sandbox.datapipeline.answers import InvalidRequest, PipelineNotFound
from sandbox.datapipeline.fields import Fields, health_of, last_completed, text, time
from sandbox.datapipeline.model import Instance, Pipeline, Status
from sandbox.datapipeline.paging import page
from sandbox.datapipeline.service import Service
from sandbox.datapipeline.upcoming import next_run, timetable_of

#: The account that owns everything in the sandbox; the same as moto's.
ACCOUNT_ID = "123456789012"
MAX_TAGS = 10
_ID_ALPHABET = string.ascii_uppercase + string.digits


def create_pipeline(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    """Create a pipeline, or return the one that has this name and uniqueId already."""
    key = (request["name"], request["uniqueId"])
    if key not in service.state.by_name:
        tags = _merged([], request.get("tags") or [])
        pipeline = Pipeline(_new_id(), *key, service.clock.now(), request.get("description"), tags)
        service.state.add_pipeline(pipeline)
    return {"pipelineId": service.state.by_name[key]}


def delete_pipeline(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a pipeline with its definition and history; workers are told at their next report."""
    pipeline = service.state.pipelines.get(request["pipelineId"])
    if pipeline is None or pipeline.deleted:
        raise PipelineNotFound(f"Pipeline {request['pipelineId']} was not found; it may have been deleted before")
    pipeline.deleted = True
    service.state.forget(pipeline)
    return {}


def list_pipelines(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    """List ids and names, oldest first."""
    entries = [
        {"id": pipeline.id, "name": pipeline.name}
        for pipeline in service.state.pipelines.values()
        if not pipeline.deleted
    ]
    return page(entries, "pipelineIdList", request.get("marker"))


def describe_pipelines(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    """Describe up to 25 pipelines."""
    wanted = request["pipelineIds"]
    if len(wanted) > limits.MAX_PIPELINE_IDS_PER_DESCRIBE:
        raise InvalidRequest(f"pipelineIds has {len(wanted)} ids; at most {limits.MAX_PIPELINE_IDS_PER_DESCRIBE}")
    pipelines = [service.state.pipeline(pipeline_id) for pipeline_id in wanted]
    return {"pipelineDescriptionList": [_description(service, pipeline) for pipeline in pipelines]}


def add_tags(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    """Add tags or change their values."""
    pipeline = service.state.pipeline(request["pipelineId"])
    pipeline.tags = _merged(pipeline.tags, request["tags"])
    service.state.touch(pipeline)
    return {}


def remove_tags(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    """Remove tags by key; a key that is not there is no error."""
    pipeline = service.state.pipeline(request["pipelineId"])
    pipeline.tags = [tag for tag in pipeline.tags if tag["key"] not in request["tagKeys"]]
    service.state.touch(pipeline)
    return {}


def _new_id() -> str:
    return "df-" + "".join(secrets.choice(_ID_ALPHABET) for _ in range(20))


def _merged(present: list[dict[str, str]], added: list[dict[str, str]]) -> list[dict[str, str]]:
    tags = {tag["key"]: tag["value"] for tag in [*present, *added]}
    if len(tags) > MAX_TAGS:
        raise InvalidRequest(f"A pipeline has at most {MAX_TAGS} tags; this would make {len(tags)}")
    return [{"key": key, "value": value} for key, value in tags.items()]


def _description(service: Service, pipeline: Pipeline) -> dict[str, Any]:
    described: dict[str, Any] = {
        "pipelineId": pipeline.id,
        "name": pipeline.name,
        "fields": _fields(service, pipeline),
        "tags": pipeline.tags,
    }
    if pipeline.description is not None:
        described["description"] = pipeline.description
    return described


def _fields(service: Service, pipeline: Pipeline) -> Fields:
    run = service.state.index.run(pipeline.id, pipeline.run)
    upcoming = [entry.due for entry in run if entry.status == Status.SCHEDULED and entry.started is None]
    components = service.state.plan(pipeline.id, pipeline.active_version).recurring if pipeline.active else []
    planned = [next_run(service.state, pipeline, component) for component in components]
    upcoming += [moment for moment in planned if moment is not None]
    last = _last_of_each(run)
    finished = pipeline.state == Status.FINISHED
    return [
        text("@pipelineState", pipeline.state),
        text("@healthStatus", min((health_of(entry) for entry in last), default="-")),
        *time("@healthStatusUpdatedTime", max((entry.ended or 0.0 for entry in last), default=None)),
        text("name", pipeline.name),
        *time("@creationTime", pipeline.created),
        *time("@firstActivationTime", pipeline.first_activated),
        *time("@lastActivationTime", pipeline.last_activated),
        *time("@lastDeactivatedTime", pipeline.last_deactivated),
        *time("@latestRunTime", max((entry.scheduled_start for entry in run), default=None)),
        *time("@latestCompletedRunTime", _latest_completed(run)),
        *time("@nextRunTime", min(upcoming, default=None)),
        *time("@finishedTime", max((entry.ended or 0.0 for entry in run), default=None) if finished else None),
        *_scheduled(service, pipeline),
        text("@id", pipeline.id),
        text("@sphere", "PIPELINE"),
        text("@version", str(pipeline.latest_version)),
        text("uniqueId", pipeline.unique_id),
        text("pipelineCreator", ACCOUNT_ID),
        text("@userId", ACCOUNT_ID),
        text("@accountId", ACCOUNT_ID),
    ]


def _scheduled(service: Service, pipeline: Pipeline) -> Fields:
    """Return when the schedule of a pipeline, that of its first activity, begins, how often it recurs, when it ends."""
    plan = service.state.plan(pipeline.id, pipeline.active_version) if pipeline.active_version else None
    if plan is None or plan.on_demand or not plan.activities:
        return []
    table = timetable_of(service.state, pipeline, plan.activities[0])
    schedule = plan.schedule(plan.activities[0])
    period = plan.text(schedule, "period") if schedule else None
    last = table.interval(int(table.count) - 1) if math.isfinite(table.count) else None
    return [
        *time("@scheduledStartTime", table.start.timestamp()),
        *([text("@scheduledPeriod", period)] if period else []),
        *time("@scheduledEndTime", last.end if last else None),
    ]


def _last_of_each(run: list[Instance]) -> list[Instance]:
    """Return the instance of each component that ended last: a pipeline is as healthy as the worst of them."""
    components: dict[str, list[Instance]] = {}
    for entry in run:
        components.setdefault(entry.component, []).append(entry)
    return [found for entries in components.values() if (found := last_completed(entries)) is not None]


def _latest_completed(run: list[Instance]) -> float | None:
    """Return the scheduled start of the latest run of which everything has ended."""
    open_starts = {entry.scheduled_start for entry in run if not entry.terminal}
    return max((entry.scheduled_start for entry in run if entry.scheduled_start not in open_starts), default=None)
