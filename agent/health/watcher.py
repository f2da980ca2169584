"""Counts what happens in the agent, and remembers what a person asks first: polls, failures, the last attempts."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from agent.contact import Contact
from agent.group import Group
from agent.health import catalogue as numbers_of
from agent.health.attempts import attempt_number, queue_wait, type_label
from agent.health.numbers import Numbers
from agent.health.turns import Turns
from agent.observer import Ended, Observer
from agent.task import Task
from core.errors import DuctrunnerError

#: Attempts that are remembered after their end.
REMEMBERED = 20


@dataclass
class GroupState:
    """How a worker group is served."""

    slots: int
    busy: int = 0
    #: Unix time of the last answer to a poll.
    last_poll: float | None = None
    #: Why the last poll failed, and since when (Unix time) no poll has been answered.
    error: DuctrunnerError | None = None
    failing_since: float = 0.0
    #: Of the last failure, in ``time.monotonic()``.
    failed_at: float = 0.0


class Watcher(Observer):
    """Told by the loops and the attempts, from their threads."""

    def __init__(self, numbers: Numbers, turns: Turns, contact: Contact, groups: Iterable[Group]) -> None:
        self._numbers = numbers
        self._turns = turns
        self._contact = contact
        self._lock = threading.Lock()
        self.groups = {group.name: GroupState(group.slots) for group in groups}
        #: The last attempts that ended, with the Unix time of their end.
        self._recent: deque[tuple[float, Ended]] = deque(maxlen=REMEMBERED)
        #: Why no more tasks are taken until the end.
        self.drain_reason: str | None = None
        #: Preconditions that wait or are evaluated.
        self.preconditions = 0
        for name, state in self.groups.items():
            self.occupied(name, 0, state.slots)

    @property
    def working(self) -> bool:
        """Whether there are tasks that have not ended."""
        return self.preconditions > 0 or any(group.busy for group in self.groups.values())

    def recent(self) -> list[tuple[float, Ended]]:
        """Return the last attempts that ended, the latest first, with the Unix time of their end."""
        with self._lock:
            return list(reversed(self._recent))

    def polled(self, group: str, *, taken: bool, error: DuctrunnerError | None) -> None:  # noqa: ARG002
        """A poll was answered (or failed with ``error``)."""
        state = self.groups[group]
        if error is None:
            state.last_poll, state.error = time.time(), None
            self._numbers.add(numbers_of.POLLS, 1, group)
            return
        if state.error is None:
            state.failing_since = time.time()
        state.error, state.failed_at = error, time.monotonic()
        self._numbers.add(numbers_of.POLL_ERRORS, 1, group, error.error_id)

    def started(self, group: str, task: Task) -> None:
        """A task was acknowledged."""
        if attempt_number(task) > 1:
            self._numbers.add(numbers_of.RETRIES, 1, group)
        wait = queue_wait(task, time.time() - (self._contact.clock_ahead or 0.0))
        if wait is not None:
            self._numbers.observe(numbers_of.QUEUE_WAIT, wait, group)

    def reported(self, group: str, error: DuctrunnerError | None) -> None:
        """A progress report, status or heartbeat was taken by the service (or failed with ``error``)."""
        if error is not None:
            self._numbers.add(numbers_of.REPORT_ERRORS, 1, group, error.error_id)

    def staged(self, group: str, direction: str, files: int, volume: int) -> None:
        """``files`` of together ``volume`` bytes were staged ``in`` or ``out``."""
        self._numbers.add(numbers_of.STAGED_FILES, files, group, direction)
        self._numbers.add(numbers_of.STAGED_BYTES, volume, group, direction)

    def ended(self, ended: Ended) -> None:
        """An attempt is over."""
        kind = type_label(ended.task)
        self._numbers.add(numbers_of.TASKS, 1, ended.group, kind, ended.outcome)
        self._numbers.observe(numbers_of.RUN_TIME, ended.seconds, ended.group, kind)
        if ended.usage is not None:
            self._numbers.add(numbers_of.TASK_CPU, ended.usage.cpu_seconds, ended.group, kind)
        with self._lock:
            self._recent.append((time.time(), ended))

    def occupied(self, group: str, busy: int, slots: int) -> None:
        """``busy`` of a group's ``slots`` have a task now."""
        self.groups[group].busy = busy
        self._numbers.set(numbers_of.SLOTS, slots, group)
        self._numbers.set(numbers_of.BUSY, busy, group)

    def held(self, preconditions: int) -> None:
        """So many preconditions wait or are evaluated now."""
        self.preconditions = preconditions

    def draining(self, reason: str) -> None:
        """No more tasks are taken."""
        self.drain_reason = reason

    def turned(self, within: float | None) -> None:
        """The loop of this thread turns."""
        self._turns.mark(within)
