"""What the agent is doing now, as one JSON document: for ``/status`` and ``ductrunner status``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from agent.contact import Contact
from agent.health import proc
from agent.health.machine_watch import MachineWatch
from agent.health.numbers import Numbers, Snapshot
from agent.health.readiness import Readiness
from agent.health.watcher import GroupState, Watcher
from agent.observer import Ended
from agent.running import Held, Running
from agent.task import Task, digest

#: Characters of an error message that are shown.
MESSAGE_LIMIT = 300


@dataclass(frozen=True)
class Facts:
    """What does not change while the agent runs."""

    version: str
    worker_group: str
    region: str
    endpoint: str
    taskrunner_id: str
    host: str
    pid: int
    output: str
    #: Unix time.
    started: float


class Status:
    """Makes the document; holds no secret and no whole task id."""

    def __init__(
        self,
        facts: Facts,
        watcher: Watcher,
        readiness: Readiness,
        contact: Contact,
        running: Running,
        numbers: Numbers,
        machine: MachineWatch,
    ) -> None:
        self._facts = facts
        self._watcher = watcher
        self._readiness = readiness
        self._contact = contact
        self._running = running
        self._numbers = numbers
        self._machine = machine

    def document(self) -> dict[str, Any]:
        """Return it; times are ISO 8601 in UTC, spans are seconds, sizes are bytes."""
        groups = self._watcher.groups
        reasons = self._readiness.reasons()
        snapshot = self._numbers.read()
        polls = [group.last_poll for group in groups.values() if group.last_poll is not None]
        return {
            **asdict(self._facts),
            "started": _moment(self._facts.started),
            "now": _moment(time.time()),
            "state": self._readiness.state(),
            "ready": not reasons,
            "reasons": reasons,
            "slots": sum(group.slots for group in groups.values()),
            "busy": sum(group.busy for group in groups.values()),
            "preconditions": self._watcher.preconditions,
            "groups": {name: _group(group) for name, group in groups.items()},
            "last_poll": _moment(max(polls)) if polls else None,
            "contact_age": _rounded(self._readiness.contact_age()),
            "running": [_running(held) for held in self._running.all()],
            "recent": [_ended(moment, ended) for moment, ended in self._watcher.recent()],
            "counters": _counters(snapshot),
            "machine": asdict(self._machine.readings) | {"clock_offset": _rounded(self._contact.clock_ahead)},
            "agent": dict(zip(("cpu_seconds", "resident", "threads", "open_files"), proc.own(), strict=True)),
        }


def _group(group: GroupState) -> dict[str, Any]:
    error = group.error
    return {
        "slots": group.slots,
        "busy": group.busy,
        "last_poll": _moment(group.last_poll) if group.last_poll else None,
        "error": f"{error.error_id}: {error}" if error else None,
        "failing_since": _moment(group.failing_since) if error else None,
    }


def _running(held: Held) -> dict[str, Any]:
    reason = held.stop.reason
    return {
        "group": held.group.name,
        **(_named(held.task) if held.task else {}),
        "since": _moment(held.since),
        "seconds": _rounded(time.time() - held.since),
        "progress": {key: value for key, value in held.progress().items() if key != "hostname"},
        "lease_age": _rounded(held.silent),
        "stopping": reason.value if reason else None,
        "logs": held.logs,
    }


def _ended(moment: float, ended: Ended) -> dict[str, Any]:
    message = ended.verdict.error_message.partition("\n")[0]
    return {
        "group": ended.group,
        **_named(ended.task),
        "ended": _moment(moment),
        "seconds": _rounded(ended.seconds),
        "outcome": ended.outcome,
        "error_id": ended.verdict.error_id or None,
        "error": message[:MESSAGE_LIMIT] or None,
        "logs": ended.logs,
    }


def _named(task: Task) -> dict[str, str]:
    return {
        "pipeline": task.pipeline_id,
        "component": task.component,
        "attempt": task.attempt.id,
        "type": task.attempt.type,
        "task": digest(task.task_id),
    }


def _counters(snapshot: Snapshot) -> Mapping[str, float]:
    """Return the counters, summed over all labels but the one that tells what was counted."""
    found: dict[str, float] = {}
    for metric, series in snapshot.values.items():
        if metric.kind != "counter":
            continue
        told = metric.labels.index(metric.spread[0]) if metric.spread else None
        for labels, value in series.items():
            name = metric.name if told is None else f"{metric.name}_{labels[told]}"
            found[name] = round(found.get(name, 0) + value, 3)
    return found


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
