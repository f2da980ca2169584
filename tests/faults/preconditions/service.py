"""A service that hands out tasks as they come to its mind, and remembers what it was told about each."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from tests.faults.bad_input.service import HandingService

HOLD = 60.0  # seconds of a poll without work


class PreconditionService(HandingService):
    """Tasks are added while it runs; progress, cancels and objects beside the hand-over."""

    def __init__(self) -> None:
        self._added: list[bytes] = []
        self._waiting = threading.Condition()
        #: The fields of the last report of each task id.
        self.reports: dict[str, dict[str, str]] = defaultdict(dict)
        self.canceled: set[str] = set()
        #: While it is set, no status is taken.
        self.refusing = threading.Event()
        self.objects: dict[str, dict[str, Any]] = {}
        super().__init__(())
        self._answers |= {
            "PollForTask": self._hand_over,
            "ReportTaskProgress": self._report,
            "DescribeObjects": self._describe,
        }

    def hand_out(self, kind: str, name: str, references: Mapping[str, str] | None = None, **fields: str) -> str:
        """Add a task of this type; return its id."""
        attempt = f"@{name}_2026-01-01T00:00:00_Attempt=1"
        given = [{"key": key, "stringValue": value} for key, value in {"type": kind, **fields}.items()]
        given += [{"key": key, "refValue": value} for key, value in (references or {}).items()]
        given.append({"key": "@componentParent", "refValue": name})
        objects = {attempt: {"id": attempt, "name": name, "fields": given}}
        task = {"taskId": f"task-{name}", "pipelineId": "df-1", "attemptId": attempt, "objects": objects}
        with self._waiting:
            self._added.append(json.dumps({"taskObject": task}).encode())
            self._waiting.notify()
        return f"task-{name}"

    def close(self) -> None:
        """Close the server; open polls end."""
        with self._waiting:
            self._stopped.set()
            self._waiting.notify_all()
        super().close()

    def _hand_over(self, _: dict[str, Any]) -> bytes:
        with self._waiting:
            self._waiting.wait_for(lambda: self._added or self._stopped.is_set(), HOLD)
            return self._added.pop(0) if self._added else b"{}"

    def _status(self, request: dict[str, Any]) -> bytes:
        if self.refusing.is_set():
            raise ConnectionError
        return super()._status(request)

    def _report(self, request: dict[str, Any]) -> bytes:
        task = request["taskId"]
        self.reports[task].update({field["key"]: field["stringValue"] for field in request.get("fields", ())})
        return json.dumps({"canceled": task in self.canceled}).encode()

    def _describe(self, request: dict[str, Any]) -> bytes:
        found = [self.objects[name] for name in request["objectIds"] if name in self.objects]
        return json.dumps({"pipelineObjects": found, "hasMoreResults": False}).encode()
