"""Attempts that wait for a worker, by worker group, and the polls that wait for an attempt."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field

from sandbox.datapipeline.model import INSIDE, Attempt, Status


@dataclass(slots=True)
class _Group:
    attempts: deque[Attempt] = field(default_factory=deque)
    polls: deque[threading.Condition] = field(default_factory=deque)
    #: When a worker asked last, on the monotonic clock.
    asked: float | None = None


class ReadyQueue:
    """First in, first out per worker group. Used under the service's lock, which the waiting polls release."""

    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock
        self._groups: dict[str, _Group] = {}

    def put(self, attempt: Attempt) -> None:
        """Queue an attempt."""
        self._group(attempt.worker_group).attempts.append(attempt)

    def put_back(self, attempt: Attempt) -> None:
        """Queue an attempt before all others: it was taken and did not arrive."""
        self._group(attempt.worker_group).attempts.appendleft(attempt)

    def take(self, worker_group: str) -> Attempt | None:
        """Take out the first attempt that still waits for a worker."""
        group = self._group(worker_group)
        group.asked = time.monotonic()
        waiting = group.attempts
        while waiting:
            attempt = waiting.popleft()
            if attempt.queued_at is not None and attempt.status in Status.WITH_RUNNER:
                return attempt
        return None

    def silence(self, worker_group: str) -> float | None:
        """Return for how many seconds of real time no worker has asked for a group's tasks; ``None``: none ever has."""
        asked = self._groups[worker_group].asked if worker_group in self._groups else None
        return None if asked is None else time.monotonic() - asked

    def polls(self) -> int:
        """Return how many polls of workers wait."""
        return sum(len(group.polls) for name, group in self._groups.items() if name not in INSIDE)

    def clear(self) -> None:
        """Forget the attempts; the polls go on waiting."""
        for group in self._groups.values():
            group.attempts.clear()

    def lengths(self) -> dict[str, int]:
        """Return how many attempts wait in each worker group that has some."""
        return {
            name: length
            for name, group in self._groups.items()
            if name not in INSIDE and (length := sum(attempt.queued_at is not None for attempt in group.attempts))
        }

    def wait(self, worker_group: str, seconds: float) -> None:
        """Sleep until work may have come for the group, at most ``seconds`` of real time."""
        group = self._group(worker_group)
        condition = threading.Condition(self._lock)
        group.polls.append(condition)
        try:
            condition.wait(seconds)
        finally:
            if condition in group.polls:
                group.polls.remove(condition)

    def wake(self) -> None:
        """Wake as many polls of each group as there are attempts for it."""
        for group in self._groups.values():
            for _ in range(min(len(group.attempts), len(group.polls))):
                condition = group.polls.popleft()
                condition.notify()

    def wake_all(self) -> None:
        """Wake every poll: the service stops."""
        for group in self._groups.values():
            while group.polls:
                group.polls.popleft().notify()

    def _group(self, worker_group: str) -> _Group:
        return self._groups.setdefault(worker_group, _Group())
