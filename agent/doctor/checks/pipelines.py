"""Which pipelines name the worker group, and which name one that was probably meant."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.doctor.finding import Finding, ok, skipped, warning
from agent.doctor.patient import Patient
from core.errors import AccessDenied, OwnershipLost, Throttled

NAME = "worker group"
#: Pipelines whose definition is read; the account has few calls a second, and the worker needs them too.
LOOKED_AT = 40
#: Pipelines that are named.
SHOWN = 3
#: Seconds that this may take.
PATIENCE = 15.0
_PARAMETER = re.compile(r"\s*#\{\s*(my\w*)\s*\}\s*")


@dataclass
class _Seen:
    """What the definitions say."""

    pipelines: int = 0
    whole: bool = True
    ours: list[str] = field(default_factory=list)
    near: dict[str, str] = field(default_factory=dict)
    managed: int = 0


def check_pipelines(patient: Patient) -> Iterator[Finding]:
    """Read a bounded number of definitions."""
    if not patient.group:
        yield skipped(NAME, "no worker group is named")
        return
    try:
        seen = _look(patient)
    except AccessDenied:
        yield skipped(
            NAME, "datapipeline:ListPipelines or GetPipelineDefinition is not allowed: pipelines not looked at"
        )
        return
    among = f"of {seen.pipelines} pipelines looked at" + ("" if seen.whole else " (there are more)")
    for pipeline, group in seen.near.items():
        advice = "names count exactly, with case and blanks: correct one of them"
        yield warning(NAME, f"{pipeline} names {group!r}, this worker serves {patient.group!r}", advice)
    if seen.ours:
        shown = ", ".join(seen.ours[:SHOWN]) + (" …" if len(seen.ours) > SHOWN else "")
        managed = f"; {seen.managed} of their objects have runsOn: AWS's machines serve these" if seen.managed else ""
        yield ok(NAME, f"{patient.group!r} is named by {len(seen.ours)} {among}: {shown}{managed}")
    elif not seen.pipelines:
        yield warning(NAME, f"there is no pipeline in {patient.region}", "check the region, or activate one")
    else:
        yield warning(
            NAME, f"{patient.group!r} is named by none {among}", "check the group and the region of the pipelines"
        )


def _look(patient: Patient) -> _Seen:
    seen = _Seen()
    give_up = time.monotonic() + PATIENCE
    for pipeline in _pipelines(patient):
        if seen.pipelines == LOOKED_AT or time.monotonic() > give_up:
            seen.whole = False
            break
        try:
            definition = patient.service.call("GetPipelineDefinition", {"pipelineId": pipeline["id"]})
        except OwnershipLost:
            continue  # deleted meanwhile
        except Throttled:
            time.sleep(1.0)
            seen.whole = False
            continue
        seen.pipelines += 1
        _note(seen, f"{pipeline['id']} ({pipeline.get('name', '')})", definition, patient.group)
    return seen


def _pipelines(patient: Patient) -> Iterator[Mapping[str, Any]]:
    request: dict[str, Any] = {}
    while True:
        answer = patient.service.call("ListPipelines", request)
        yield from answer.get("pipelineIdList") or []
        if not answer.get("hasMoreResults"):
            return
        request = {"marker": answer["marker"]}


def _note(seen: _Seen, pipeline: str, definition: Mapping[str, Any], group: str) -> None:
    values = {entry["id"]: entry.get("stringValue", "") for entry in definition.get("parameterValues") or []}
    keys = [entry for obj in definition.get("pipelineObjects") or [] for entry in obj.get("fields") or []]
    groups = {_resolved(entry.get("stringValue", ""), values) for entry in keys if entry["key"] == "workerGroup"}
    if group in groups:
        seen.ours.append(pipeline)
        seen.managed += sum(entry["key"] == "runsOn" for entry in keys)
    for other in sorted(groups - {group}):
        if _bare(other) == _bare(group):
            seen.near[pipeline] = other


def _resolved(text: str, values: Mapping[str, str]) -> str:
    """Return the value of a group that is written as a parameter."""
    found = _PARAMETER.fullmatch(text)
    return values.get(found[1], text) if found else text


def _bare(group: str) -> str:
    """Return a name without what is easily mixed up: case, blanks, hyphens."""
    return re.sub(r"[\s_-]+", "", group).casefold()
