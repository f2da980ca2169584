"""The attempts that are being worked on by this agent."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from agent.group import Group
from agent.journal.entry import Entry
from agent.preconditions import PRECONDITIONS
from agent.stop import StopReason, StopSignal
from core.clock import uptime

if TYPE_CHECKING:
    from agent.task import Task

Key = tuple[str, str]  # pipeline id, attempt id


class Held:
    """A task that is ours: its handle, when the service last heard of it, and the signal that ends it."""

    def __init__(self, group: Group, task_id: str, key: Key, interval: float) -> None:
        self.group = group
        self.task_id = task_id
        #: What the next agent finds if this one dies; ``None`` while there is nothing to find.
        self.entry: Entry | None = None
        self.key = key
        #: Seconds between reports.
        self.interval = interval
        #: Silent seconds after which the service gives this task away, if that is sooner than for others.
        self.window = math.inf
        self.stop = StopSignal()
        #: When the service last heard of it, in ``core.clock.uptime()``.
        self.last_contact = uptime()
        self.next_report = self.last_contact + interval
        #: The terminal status is on its way: what a report hears of the task from now on says nothing any more.
        self.ending = False
        #: For those who look on: Unix time of the hand-over, the task once it is read, the place of its logs.
        self.since = time.time()
        self.task: Task | None = None
        self.logs = ""
        #: What the next report says beside "still there".
        self.progress: Callable[[], Mapping[str, str]] = dict

    @property
    def is_precondition(self) -> bool:
        """Whether it is evaluated until it is true, and holds no slot."""
        return self.task is not None and self.task.attempt.type in PRECONDITIONS

    def heard(self) -> None:
        """The service has taken a report."""
        self.last_contact = uptime()
        self.next_report = self.last_contact + self.interval
        if self.entry:
            self.entry.heard()

    @property
    def silent(self) -> float:
        """Seconds since the service last heard of it."""
        return uptime() - self.last_contact

    def is_lost(self, window: float) -> bool:
        """Whether the service has not heard of it for so long that it has given the task away."""
        return self.silent > min(window, self.window)

    def take_handle(self, task_id: str) -> None:
        """The same attempt was delivered again: from now on it is reported under this id."""
        self.task_id = task_id
        if self.entry:
            self.entry.handle(task_id)
        self.heard()


class Running:
    """Makes sure that one attempt is worked on once on this machine, also when it is delivered twice."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held: dict[Key, Held] = {}
        self._entered: set[Held] = set()
        self._stopped: tuple[StopReason, str] | None = None

    def enter(self, held: Held) -> None:
        """A task is about to be acknowledged: what ends every attempt ends this too; ``leave`` it when it is over."""
        with self._changed:
            self._entered.add(held)
            stopped = self._stopped
        if stopped:
            held.stop.set(*stopped)

    def leave(self, held: Held) -> None:
        """Nothing is left to do for the task."""
        with self._changed:
            self._entered.discard(held)

    def claim(self, held: Held) -> bool:
        """Take an attempt. If it is being worked on already, the work goes on under the new handle: ``False``.

        If that work is just being ended, this waits for its end first.
        """
        with self._changed:
            while (other := self._held.get(held.key)) is not None:
                if other.stop.reason is None:
                    other.take_handle(held.task_id)
                    return False
                self._changed.wait()
            self._held[held.key] = held
        return True

    def claim_if_free(self, held: Held) -> bool:
        """Take an attempt unless it is being worked on; ``False`` then, and the work is not touched."""
        with self._changed:
            return self._held.setdefault(held.key, held) is held

    def release(self, held: Held) -> None:
        """The attempt is over."""
        with self._changed:
            if self._held.get(held.key) is held:
                del self._held[held.key]
                self._changed.notify_all()

    def stop_all(self, reason: StopReason, why: str) -> None:
        """End every attempt, also those that are still to come."""
        with self._changed:
            self._stopped = reason, why
            entered = list(self._entered)
        for held in entered:
            held.stop.set(reason, why)

    def all(self) -> list[Held]:
        """Return the attempts of this moment."""
        with self._changed:
            return list(self._held.values())
