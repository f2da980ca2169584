"""Runs many definitions at once in the sandbox of the environment, through one agent."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines.control import ask
from pipelines.documents import Document, read_document
from pipelines.schedules import scheduled
from pipelines.service import Service
from pipelines.steps import Step, unfinished
from pipelines.values import with_given
from pipelines.watch import Look, Occurrences, Watch

#: Seconds that all of them together may take.
LIMIT = 420.0


@dataclass(frozen=True)
class Outcome:
    """What became of a definition: its steps by component, of each the first occurrence."""

    pipeline_id: str
    steps: Mapping[str, Step]

    def told(self) -> dict[str, str]:
        """Return what each activity ended as: ``FINISHED``, or the kind of its error."""
        return {
            name: step.error_id or step.status for name, step in self.steps.items() if step.type.endswith("Activity")
        }


class Runner:
    """Starts definitions, watches them all, and looks at each until nothing more is to come."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._service = Service()
        self._watches: dict[str, tuple[str, Watch]] = {}

    def start(self, name: str, path: Path, *, whole: bool) -> None:
        """Put and activate a definition, which must be accepted; its ``whole`` schedule, or one run, is awaited."""
        document: Document = with_given(read_document(path), (), ())
        activities = scheduled(document)
        wanted = Occurrences(1, activities) if activities and not whole else None
        if wanted:
            document = _one_at_a_time(document, activities)
        pipeline_id = self._service.create(name)
        found = self._service.put(pipeline_id, document)
        assert not [str(finding) for finding in found if finding.error], name
        self._service.activate(pipeline_id)
        self._watches[name] = (pipeline_id, Watch(self._service, pipeline_id, wanted))

    def outcomes(self) -> dict[str, Outcome]:
        """Wait until all of them are over; raise when they are not in time."""
        found: dict[str, Outcome] = {}
        limit = time.monotonic() + LIMIT
        while len(found) < len(self._watches):
            for name, pipeline_id, look in list(self._look(found)):
                if look.done:
                    found[name] = Outcome(pipeline_id, _first(look))
                    self._end(pipeline_id, look)
                else:
                    ask(self._url, "POST", "skip", pipelineId=pipeline_id)
            if time.monotonic() > limit:
                hanging = {
                    name: [(step.id, step.status) for step in unfinished(look.steps)]
                    for name, _, look in self._look(found)
                }
                raise AssertionError(f"these do not come to an end: {hanging}")
            time.sleep(0.2)
        return found

    def _look(self, found: Mapping[str, Outcome]) -> Iterator[tuple[str, str, Look]]:
        for name, (pipeline_id, watch) in self._watches.items():
            if name not in found:
                yield name, pipeline_id, watch.look()

    def _end(self, pipeline_id: str, look: Look) -> None:
        if self._service.state(pipeline_id)["@pipelineState"] == "SCHEDULED":
            self._service.deactivate(pipeline_id)


def _one_at_a_time(document: Document, activities: frozenset[str]) -> Document:
    """Return the same without work beside the first run, which nobody would look at."""
    alone = {"key": "maxActiveInstances", "stringValue": "1"}
    return replace(
        document,
        objects=[
            {**item, "fields": [*item["fields"], alone]}
            if item["id"] in activities and all(field["key"] != alone["key"] for field in item["fields"])
            else item
            for item in document.objects
        ],
    )


def _first(look: Look) -> dict[str, Step]:
    steps: dict[str, Step] = {}
    for step in sorted(look.steps, key=lambda step: step.scheduled):
        steps.setdefault(step.component, step)
    return steps
