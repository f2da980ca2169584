"""The pipeline in AWS Data Pipeline, through plain boto3: put, activate, watch."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

ENDED = frozenset({"FINISHED", "FAILED", "CASCADE_FAILED", "CANCELED", "CANCELLED", "TIMEDOUT", "SKIPPED"})
_LOOK_EVERY = 0.5  # seconds


@dataclass(frozen=True)
class Step:
    """How one activity of a run is doing."""

    name: str
    status: str
    attempts: int
    fields: Mapping[str, str] = field(repr=False)

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def told(self) -> str:
        """What the worker says of the attempt: its phase, its rows and bytes."""
        return self.fields.get("attemptStatus", "")

    def count(self, name: str) -> int | None:
        """Return ``rows`` or ``bytes`` as the worker reported them."""
        told = dict(word.partition("=")[::2] for word in self.told.split() if "=" in word)
        return int(told[name]) if told.get(name, "").isdigit() else None

    @property
    def seconds(self) -> float | None:
        start, end = self.fields.get("@actualStartTime"), self.fields.get("@actualEndTime")
        return _unix(end) - _unix(start) if start and end else None


class Pipeline:
    """One pipeline of the service."""

    def __init__(self, name: str) -> None:
        self._client = boto3.client("datapipeline")
        self.id: str = self._client.create_pipeline(name=name, uniqueId=name)["pipelineId"]
        self._known: set[str] = set()

    def put(self, definition: Path, values: Mapping[str, str]) -> None:
        """Put the definition with these parameter values; stops the demo when the service finds a fault in it."""
        document = json.loads(definition.read_text("utf-8"))
        answer = self._client.put_pipeline_definition(
            pipelineId=self.id,
            pipelineObjects=[_api_object(item) for item in document["objects"]],
            parameterObjects=[_api_parameter(item) for item in document["parameters"]],
            parameterValues=[{"id": key, "stringValue": text} for key, text in values.items()],
        )
        if answer["errored"]:
            raise RuntimeError(f"the service refuses the definition: {answer['validationErrors']}")

    def activate(self) -> None:
        self._known = set(self._instances())
        self._client.activate_pipeline(pipelineId=self.id)

    def watch(self, show: Callable[[list[Step]], None], still_working: Callable[[], None]) -> list[Step]:
        """Look at the run that was activated last until each step has ended; return the steps.

        ``still_working`` raises when nobody is there any more to do the steps.
        """
        while True:
            steps = self.steps()
            show(steps)
            if steps and all(step.ended for step in steps):
                return steps
            still_working()
            time.sleep(_LOOK_EVERY)

    def steps(self) -> list[Step]:
        """Return the steps of the run that was activated last, in the order in which they began."""
        new = [one for one in self._instances() if one not in self._known]
        described = self._describe(new)
        attempts = self._describe([fields["@headAttempt"] for fields in described if fields.get("@headAttempt")])
        heads = {fields["@id"]: fields for fields in attempts}
        steps = [_step(fields, heads) for fields in described if fields.get("type", "").endswith("Activity")]
        return sorted(steps, key=lambda step: (step.fields.get("@actualStartTime", "~"), step.name))

    def _instances(self) -> list[str]:
        pages = self._client.get_paginator("query_objects").paginate(pipelineId=self.id, sphere="INSTANCE")
        return [one for page in pages for one in page["ids"]]

    def _describe(self, ids: list[str]) -> list[dict[str, str]]:
        return [fields for start in range(0, len(ids), 25) for fields in self._describe_some(ids[start : start + 25])]

    def _describe_some(self, ids: list[str]) -> Iterator[dict[str, str]]:
        answer = self._client.describe_objects(pipelineId=self.id, objectIds=ids)
        for item in answer["pipelineObjects"]:
            values = {one["key"]: one.get("stringValue", one.get("refValue", "")) for one in item["fields"]}
            yield {**values, "@id": item["id"], "@name": item["name"]}


def _step(instance: dict[str, str], heads: dict[str, dict[str, str]]) -> Step:
    head = heads.get(instance.get("@headAttempt", ""), {})
    number = instance.get("@headAttempt", "").rpartition("=")[2]
    name = instance.get("@componentParent", instance["@name"])
    return Step(name, instance.get("@status", ""), int(number) if number.isdigit() else 0, {**instance, **head})


def _unix(text: str) -> float:
    return time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))


def _api_object(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object of the CLI's JSON form as the API wants it: each value, also of a list, a field of its own."""
    pairs = [(key, value) for key, value in item.items() if key not in {"id", "name"}]
    fields = [{"key": key, **_api_value(one)} for key, value in pairs for one in _as_list(value)]
    return {"id": item["id"], "name": item["name"], "fields": fields}


def _api_parameter(item: Mapping[str, Any]) -> dict[str, Any]:
    attributes = [{"key": key, "stringValue": text} for key, text in item.items() if key != "id"]
    return {"id": item["id"], "attributes": attributes}


def _api_value(value: Any) -> dict[str, str]:
    return {"refValue": value["ref"]} if isinstance(value, dict) else {"stringValue": value}


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
