"""SetStatus.

Source: AWS Data Pipeline API Reference: PAUSE and RESUME on components; TRY_CANCEL, RERUN and MARK_FINISHED on
instances ("physical objects"); never a mix of both, and not on a pipeline that is FINISHED. An attempt stands for the
instance that it is a try of.
"""

from __future__ import annotations

from typing import Any

from sandbox.datapipeline.answers import InvalidRequest
from sandbox.datapipeline.describe import Described, find
from sandbox.datapipeline.model import Pipeline, Status
from sandbox.datapipeline.service import Service

ON_COMPONENTS = ("PAUSE", "RESUME")
ON_INSTANCES = ("TRY_CANCEL", "RERUN", "MARK_FINISHED")


def set_status(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    """Pause or resume components; cancel, rerun or finish instances."""
    pipeline = service.state.pipeline(request["pipelineId"])
    if pipeline.state == Status.FINISHED:
        raise InvalidRequest(f"Pipeline {pipeline.id} is FINISHED; the status of its objects cannot be set any more")
    if not request["objectIds"]:
        raise InvalidRequest("objectIds is empty; name the objects")
    found = [find(service.state, pipeline, object_id) for object_id in request["objectIds"]]
    status = request["status"].upper()
    if status in ON_COMPONENTS:
        _set_components(service, pipeline, found, status)
    elif status in ON_INSTANCES:
        _set_instances(service, found, status)
    else:
        raise InvalidRequest(f"status must be one of {', '.join(ON_COMPONENTS + ON_INSTANCES)}")
    return {}


def _set_components(service: Service, pipeline: Pipeline, found: list[Described], status: str) -> None:
    if any(entry.instance for entry in found):
        raise InvalidRequest(f"{status} works on components; for instances use {', '.join(ON_INSTANCES)}")
    for entry in found:
        if status == "PAUSE":
            service.commands.pause(pipeline, entry.component)
        else:
            service.commands.resume(pipeline, entry.component)


def _set_instances(service: Service, found: list[Described], status: str) -> None:
    if not all(entry.instance for entry in found):
        raise InvalidRequest(f"{status} works on instances; for components use {', '.join(ON_COMPONENTS)}")
    instances = list({entry.instance.id: entry.instance for entry in found if entry.instance}.values())
    if status == "RERUN":
        running = [instance.id for instance in instances if not instance.terminal]
        if running:
            raise InvalidRequest(f"{running[0]} has not ended; cancel it before you rerun it")
        service.commands.rerun(instances)
    for instance in instances:
        if status == "TRY_CANCEL":
            service.commands.cancel(instance)
        elif status == "MARK_FINISHED":
            service.commands.mark_finished(instance)
