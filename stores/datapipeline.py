"""What a step asks the Data Pipeline service about its own run: names, instances, how they ended.

Calls are sparse on purpose: QueryObjects and DescribeObjects share 2 calls a second with the whole AWS account.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from stores import aws

_START = "@scheduledStartTime"
#: Objects that one DescribeObjects call may ask for (API Reference).
DESCRIBE_LIMIT = 25

#: Botocore's own pacing: it slows down when it is throttled, whatever else asks for the account.
_PATIENCE = {"mode": "adaptive", "total_max_attempts": 10}

#: Status words of an instance that has ended (both spellings of the cancelled and timed-out ones occur).
ENDED = frozenset(
    {
        "CANCELED",
        "CANCELLED",
        "CASCADE_FAILED",
        "FAILED",
        "FINISHED",
        "SKIPPED",
        "TIMEDOUT",
        "TIMEOUT",
    }
)
SUCCEEDED = frozenset({"FINISHED", "SKIPPED"})


@dataclass(frozen=True)
class Instance:
    """One run of one component, with the runtime fields that tell how it ended."""

    id: str
    component: str
    type: str
    status: str
    scheduled_start: str
    error_id: str = ""
    error_message: str = ""
    attempts: int = 0

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.status in ENDED


@dataclass(frozen=True)
class Described:
    """An object as DescribeObjects tells it; of a field with several values the first."""

    id: str
    name: str
    fields: Mapping[str, str]
    #: Every value of a field, in order.
    every: Mapping[str, Sequence[str]]


def pipelines_named(names: Iterable[str], region: str | None = None) -> dict[str, list[str]]:
    """Return the ids of the pipelines of each of these names, several where a name is not unique.

    One pass over the account's list, 25 pipelines a call.
    """
    found: dict[str, list[str]] = {name: [] for name in names}
    client = aws.client("datapipeline", region=region, retries=_PATIENCE)
    with aws.calling("list the pipelines (datapipeline:ListPipelines)"):
        for page in client.get_paginator("list_pipelines").paginate():
            for entry in page["pipelineIdList"]:
                if entry["name"] in found:
                    found[entry["name"]].append(str(entry["id"]))
    return found


class PipelineRuns:
    """Reads the runs of one pipeline."""

    def __init__(self, pipeline_id: str, region: str | None = None) -> None:
        self.pipeline_id = pipeline_id
        self._client = aws.client("datapipeline", region=region, retries=_PATIENCE)

    def name(self) -> str:
        """Return the pipeline's name."""
        answer = self._call("describe_pipelines", pipelineIds=[self.pipeline_id])
        return str(answer["pipelineDescriptionList"][0]["name"])

    def ids(self, sphere: str) -> list[str]:
        """Return the ids of all objects of a sphere: ``COMPONENT``, ``INSTANCE`` or ``ATTEMPT``."""
        return list(self._query(sphere))

    def describe(self, ids: Iterable[str]) -> Iterator[Described]:
        """Yield objects with their runtime fields."""
        return map(_described, self._describe(iter(ids)))

    def instances(self) -> list[Instance]:
        """Return every instance of the pipeline's activities, ordered by id."""
        found = [_instance(described) for described in self.describe(self._query("INSTANCE"))]
        return sorted((entry for entry in found if entry.type.endswith("Activity")), key=lambda entry: entry.id)

    def ids_scheduled(self, first: str, last: str) -> list[str]:
        """Return the ids of the instances whose ``@scheduledStartTime`` lies between two moments, both included.

        The service chooses them, so that a pipeline of many years costs no more than one of a day.
        """
        between = {"type": "BETWEEN", "values": [first, last]}
        return list(self._query("INSTANCE", query={"selectors": [{"fieldName": _START, "operator": between}]}))

    def _query(self, sphere: str, **options: Any) -> Iterator[str]:
        marker: dict[str, str] = {}
        while True:
            answer = self._call("query_objects", pipelineId=self.pipeline_id, sphere=sphere, **options, **marker)
            yield from answer["ids"]
            if not answer.get("hasMoreResults"):
                return
            marker = {"marker": answer["marker"]}

    def _describe(self, ids: Iterator[str]) -> Iterator[dict[str, Any]]:
        while batch := list(islice(ids, DESCRIBE_LIMIT)):
            answer = self._call("describe_objects", pipelineId=self.pipeline_id, objectIds=batch)
            yield from answer["pipelineObjects"]

    def _call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        with aws.calling(f"ask Data Pipeline about {self.pipeline_id}"):
            answer: dict[str, Any] = getattr(self._client, operation)(**arguments)
        return answer


def _described(raw: dict[str, Any]) -> Described:
    every: dict[str, list[str]] = {}
    for field in raw["fields"]:
        every.setdefault(field["key"], []).append(field.get("stringValue") or field.get("refValue") or "")
    return Described(raw["id"], raw["name"], {key: values[0] for key, values in every.items()}, every)


def _instance(described: Described) -> Instance:
    fields = described.fields
    return Instance(
        id=described.id,
        component=fields.get("@componentParent") or fields.get("parent") or described.name,
        type=fields.get("type", ""),
        status=fields.get("@status", ""),
        scheduled_start=fields.get("@scheduledStartTime", ""),
        error_id=fields.get("errorId", ""),
        error_message=fields.get("errorMessage", ""),
        attempts=attempt_number(fields.get("@headAttempt", "")),
    )


def attempt_number(head_attempt: str) -> int:
    """Return how many attempts an instance has had, by the id of its newest: ``@X_…_Attempt=3``."""
    number = head_attempt.rpartition("=")[2]
    return int(number) if number.isdigit() else 0
