"""Checks of one object with all that it inherits: is what its type needs there, and does it fit together?

Source: AWS Data Pipeline Developer Guide, *Pipeline object reference* ("required fields" and "required group").
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from core.periods import parse_datetime, parse_period
from sandbox.datapipeline import limits
from sandbox.datapipeline.catalogue import TYPES, Kind
from sandbox.datapipeline.checks_fields import INVALID, field_warnings, is_ondemand, parsed
from sandbox.datapipeline.definition import Definition
from sandbox.datapipeline.inheritance import parent_cycle
from sandbox.datapipeline.objects import PipelineObject

_SCHEDULED = frozenset({Kind.ACTIVITY, Kind.DATA_NODE})


def object_errors(definition: Definition, object_id: str) -> Iterator[str]:
    """Yield what is wrong with an object as a whole."""
    item, kind = definition.effective(object_id), definition.kind_of(object_id)
    if object_id.startswith("@"):
        yield "id must not begin with '@'; such ids belong to instances and attempts"
    if parent_cycle(definition.objects, object_id):
        yield f"{INVALID} 'parent' leads back to the object itself"
    yield from _type_errors(definition, item, kind)
    yield from _missing_fields(item, item.string("type"))
    if kind in _SCHEDULED:
        yield from _schedule_errors(definition, item)
    if kind is Kind.ACTIVITY:
        yield from _placement_errors(item)
    if kind is Kind.SCHEDULE:
        yield from _interval_errors(item)
    if item.string("type") == "S3DataNode":
        yield from _location_errors(item)


def object_warnings(definition: Definition, object_id: str) -> Iterator[str]:
    """Yield what may be a mistake, or what this sandbox does otherwise than AWS."""
    item = definition.effective(object_id)
    if definition.kind_of(object_id) is Kind.DEFAULT and not item.values("pipelineLogUri"):
        yield (
            "'pipelineLogUri'is missing. It is recommended to set this value on Default object for better "
            "troubleshooting."
        )
    if definition.kind_of(object_id) is Kind.RESOURCE:
        yield (
            "this sandbox starts no machine: what runs on this goes to the worker group of --managed-worker-group; "
            "'actionOnTaskFailure' and 'actionOnResourceFailure' have nothing to act on"
        )
        if not item.values("terminateAfter"):
            yield (
                "'terminateAfter' is missing. It is recommended to set this to avoid leaving resource running for long "
                "duration."
            )
    yield from field_warnings(definition, definition.objects[object_id])
    yield from _ignored_fields(definition.objects[object_id])
    delay = item.string("retryDelay")
    length = parsed(parse_period, delay) if delay and definition.objects[object_id].values("retryDelay") else None
    if length is not None and length < limits.MIN_RETRY_DELAY:
        yield "'retryDelay' is below the 2 minutes that AWS waits at least between attempts"
    yield from _lateness_warnings(definition, item)


def _ignored_fields(item: PipelineObject) -> Iterator[str]:
    if item.values("runsOn") and item.values("workerGroup"):
        yield "'workerGroup' is ignored, since 'runsOn' is given"
    active = item.string("maxActiveInstances") or ""
    if active.isdecimal() and int(active) > limits.MAX_ACTIVE_INSTANCES:
        yield f"'maxActiveInstances' is above {limits.MAX_ACTIVE_INSTANCES}, which AWS allows on request only"


def _type_errors(definition: Definition, item: PipelineObject, kind: Kind) -> Iterator[str]:
    name = item.string("type")
    if kind is Kind.UNKNOWN and name is not None:
        near = get_close_matches(name, TYPES, 1)
        yield f"{INVALID} type '{name}' is not supported" + (f"; did you mean '{near[0]}'?" if near else "")
    elif kind is Kind.ABSTRACT and not any(item.id in other.refs("parent") for other in definition.objects.values()):
        yield "MISSING_FIELD: 'type' is required, since no object has this one as its parent"


def _missing_fields(item: PipelineObject, type_name: str | None) -> Iterator[str]:
    known = TYPES.get(type_name or "")
    for group in known.required if known else ():
        names = group.split("|")
        present = [name for name in names if item.values(name)]
        if not present:
            wanted = f"'{names[0]}' is" if len(names) == 1 else f"one of {_quoted(names)} is"
            yield f"MISSING_FIELD: {wanted} required"
        elif len(present) > 1:
            yield f"{INVALID} only one of {_quoted(present)} may be given"


def _quoted(names: list[str]) -> str:
    return " and ".join(f"'{name}'" for name in names)


def _schedule_errors(definition: Definition, item: PipelineObject) -> Iterator[str]:
    own_mode = is_ondemand(definition, item.id)
    if own_mode != is_ondemand(definition):
        yield f"{INVALID} 'scheduleType' ondemand must be set on Default and be the only one of the pipeline"
    elif not own_mode and not item.values("schedule"):
        yield "MISSING_FIELD: 'schedule' is required unless scheduleType is ondemand"


def _placement_errors(item: PipelineObject) -> Iterator[str]:
    if not item.values("runsOn") and not item.values("workerGroup"):
        yield "MISSING_FIELD: one of 'runsOn' and 'workerGroup' is required"


def _interval_errors(item: PipelineObject) -> Iterator[str]:
    start, end = item.string("startDateTime"), item.string("endDateTime")
    if end and item.values("occurrences"):
        yield f"{INVALID} only one of 'endDateTime' and 'occurrences' may be given"
    first, last = parsed(parse_datetime, start or ""), parsed(parse_datetime, end or "")
    if first and last and last <= first:
        yield f"{INVALID} 'endDateTime' must be later than 'startDateTime'"


def _lateness_warnings(definition: Definition, item: PipelineObject) -> Iterator[str]:
    """Source: the pages of *Terminate* and of each object: both fields are needed, and ondemand is never late."""
    written = definition.objects[item.id]
    if written.values("onLateAction") and not item.values("lateAfterTimeout"):
        yield "'onLateAction' never happens, since 'lateAfterTimeout' is missing"
    elif written.values("lateAfterTimeout") and is_ondemand(definition):
        yield "'lateAfterTimeout' is not looked at when scheduleType is ondemand"


def _location_errors(item: PipelineObject) -> Iterator[str]:
    paths = [name for name in ("filePath", "directoryPath") if item.values(name)]
    if len(paths) > 1:
        yield f"{INVALID} only one of 'filePath' and 'directoryPath' may be given"
    elif not paths and not item.values("manifestFilePath"):
        yield "MISSING_FIELD: one of 'filePath' and 'directoryPath' is required"
