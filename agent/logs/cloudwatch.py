"""CloudWatch Logs, as much of it as shipping needs: streams are created, events are put until each is taken.

A call whose answer got lost is made again, so that this one batch may be there twice: PutLogEvents knows no token any
more that would prevent it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from typing import Any

from agent.logs.batch import Batch
from agent.logs.steady_time import SteadyTime
from agent.logs.tail import Target
from core.errors import NotFound, RequestRefused, Throttled
from stores.endpoint import Endpoint
from stores.json_client import CallWatcher, JsonClient

TIMEOUT = 15.0  # seconds
#: CloudWatch's codes (API Reference, PutLogEvents, CreateLogGroup, CreateLogStream). One that is there already is fine.
_ERRORS = {
    "ResourceNotFoundException": NotFound,
    "ResourceAlreadyExistsException": RequestRefused,
    "InvalidParameterException": RequestRefused,
    "LimitExceededException": Throttled,
    "OperationAbortedException": Throttled,
    "ServiceUnavailableException": Throttled,
}


class CloudWatch:
    """Safe to use from several threads."""

    def __init__(self, endpoint: Callable[[], Endpoint], time: SteadyTime) -> None:
        self._endpoint = endpoint
        self._time = time

    def open(self, target: Target) -> None:
        """Create the stream, and its group if need be; either may be there already.

        Raises:
            AccessDenied, Throttled, StoreUnreachable, StoreError: it could not be done.
        """
        try:
            self._create("CreateLogStream", logGroupName=target.group, logStreamName=target.stream)
        except NotFound:
            self._create("CreateLogGroup", logGroupName=target.group)
            self._create("CreateLogStream", logGroupName=target.group, logStreamName=target.stream)

    def put(self, target: Target, batch: Batch) -> None:
        """Put a batch; events whose time is refused go again with the time of now.

        Raises:
            NotFound: the stream or its group is not there (any more).
            RequestRefused: this batch will never be taken.
            AccessDenied, Throttled, StoreUnreachable, StoreError: it could not be done.
        """
        answer = self._put(target, batch.events)
        if refused := _refused(answer.get("rejectedLogEventsInfo") or {}, batch):
            now = self._time.wall(self._time.now())
            again = [{"timestamp": now, "message": event["message"]} for event in refused]
            self._put(target, json.dumps(again, ensure_ascii=False)[1:-1])

    def close(self) -> None:
        """Break off what is open; later calls fail."""
        self._client.close()

    @cached_property
    def _client(self) -> JsonClient:
        return JsonClient(
            self._endpoint(),
            target="Logs_20140328",
            service="logs",
            timeout=TIMEOUT,
            errors=_ERRORS,
            watcher=_Dates(self._time),
        )

    def _put(self, target: Target, events: str) -> dict[str, Any]:
        place = f'"logGroupName":{json.dumps(target.group)},"logStreamName":{json.dumps(target.stream)}'
        return self._client.send("PutLogEvents", f'{{{place},"logEvents":[{events}]}}'.encode())

    def _create(self, operation: str, **arguments: str) -> None:
        try:
            self._client.call(operation, arguments)
        except RequestRefused:
            return  # it is there; if it was refused for another reason, putting will say so


class _Dates(CallWatcher):
    """Sets our idea of the time by the service's answers."""

    def __init__(self, time: SteadyTime) -> None:
        self._time = time

    def dated(self, date: str | None) -> None:
        """The service has written this ``Date``."""
        if date:
            self._time.heard(date)


def _refused(info: dict[str, int], batch: Batch) -> list[dict[str, Any]]:
    """Return the events that were too old, expired or too new."""
    if not info:
        return []
    events: list[dict[str, Any]] = json.loads(f"[{batch.events}]")
    begin = max(info.get("tooOldLogEventEndIndex", 0), info.get("expiredLogEventEndIndex", 0))
    end = max(begin, info.get("tooNewLogEventStartIndex", len(events)))
    return events[:begin] + events[end:]
