"""Taking tasks: a slot first, then a poll, at most so many polls a second, and ever fewer while the service is unwell.

One thread polls and hands over to the slots: an idle worker holds one open poll, whatever the number of its slots, and
never asks again for a group before it was answered (API Reference, PollForTask).
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable

from agent import log
from agent.backoff import Backoff
from agent.gate import Gate
from agent.group import Group
from agent.observer import POLL_PATIENCE, Observer
from agent.source import Handed
from core.errors import DuctrunnerError, Throttled

#: An empty answer that comes sooner than this was no long poll; the next polls wait a little longer each time.
LONG_POLL = 1.0  # seconds
#: A worker that has had no task for so long since its start may be waiting in the wrong place.
FIRST_TASK = 1800.0  # seconds


class Pace:
    """Keeps at least ``1/per_second`` seconds between the polls of all groups together."""

    def __init__(self, per_second: float) -> None:
        self._gap = 1.0 / per_second
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self, stopped: threading.Event) -> None:
        """Return when the next poll may go out, or at once when ``stopped``."""
        with self._lock:
            turn = max(self._next, time.monotonic())
            self._next = turn + self._gap
        if (rest := turn - time.monotonic()) > 0:
            stopped.wait(rest)


class Intake:
    """The polling loop and the slots that it feeds."""

    def __init__(
        self,
        group: Group,
        pace: Pace,
        work: Callable[[Handed], None],
        changed: Callable[[], None],
        gate: Gate,
        observer: Observer,
    ) -> None:
        self._group = group
        self._source = group.source
        self._work = work
        #: Called when a task was taken, and while stopping when one has ended.
        self._changed = changed
        self._gate = gate
        self._observer = observer
        self._pace = pace
        self._backoff = Backoff(first=0.5, longest=30.0)
        self._quick_answers = Backoff(first=0.5, longest=5.0)
        self._free = threading.Semaphore(group.slots)
        self._handed: queue.SimpleQueue[Handed | None] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._busy = 0
        self._waits_for_first = True
        #: When the last attempt ended (or the intake was made), in ``time.monotonic()``.
        self.idle_since = time.monotonic()

    def loops(self) -> list[tuple[str, Callable[[], None]]]:
        """Return the loops to start, with the names of their threads."""
        slots = [(f"slot-{self._group.name}-{number}", self.serve) for number in range(1, self._group.slots + 1)]
        return [(f"poll-{self._group.name}", self.poll), *slots]

    @property
    def busy(self) -> int:
        """Tasks that were taken and have not ended yet."""
        return self._busy

    def stop(self) -> None:
        """Take no more tasks: an open poll is broken off. What the slots have, they finish."""
        with self._lock:
            self._stopped.set()
        self._source.stop_polling()
        self._free.release()  # for a loop that waits for a slot

    def end_slots(self) -> None:
        """Let every slot's thread return when it has nothing more to do."""
        for _ in range(self._group.slots):
            self._handed.put(None)

    def poll(self) -> None:
        """Poll until stopped."""
        while True:
            self._observer.turned(None)
            self._free.acquire()
            self._gate.wait(self._stopped)
            self._pace.wait(self._stopped)
            if self._stopped.is_set():
                return
            self._observer.turned(POLL_PATIENCE)
            handed = self._ask()
            self._observer.turned(None)
            if handed is None:
                self._free.release()
                continue
            with self._lock:
                # A task that arrives in the moment of stopping is left unacknowledged: it is handed out again.
                if self._stopped.is_set():
                    return
                self._busy += 1
                self._waits_for_first = False
                self._observer.occupied(self._group.name, self._busy, self._group.slots)
            self._handed.put(handed)
            self._changed()

    def serve(self) -> None:
        """Run tasks in this thread until there are no more."""
        while (handed := self._handed.get()) is not None:
            try:
                self._work(handed)
            finally:
                with self._lock:
                    self._busy -= 1
                    self.idle_since = time.monotonic()
                self._observer.occupied(self._group.name, self._busy, self._group.slots)
                self._free.release()
                if self._stopped.is_set():
                    self._changed()

    def _ask(self) -> Handed | None:
        asked = time.monotonic()
        try:
            handed = self._source.poll()
        except DuctrunnerError as error:
            delay = self._backoff.delay()
            self._observer.polled(self._group.name, taken=False, error=error)
            level = "WARNING" if isinstance(error, Throttled) else "ERROR"
            log.event("poll_failed", level=level, error=str(error), error_id=error.error_id, retry_in=round(delay, 1))
            self._stopped.wait(delay)
            return None
        self._observer.polled(self._group.name, taken=handed is not None, error=None)
        if handed is None:
            self._say_if_forgotten()
        if handed is None and time.monotonic() - asked < LONG_POLL:
            self._stopped.wait(self._quick_answers.delay())
        else:
            self._quick_answers.reset()
        self._backoff.reset()
        return handed

    def _say_if_forgotten(self) -> None:
        """Say once that no task has come at all: a group, a region or a ``runsOn`` may be mixed up."""
        waited = time.monotonic() - self.idle_since
        if self._waits_for_first and waited >= FIRST_TASK:
            self._waits_for_first = False
            advice = (
                "compare workerGroup (case counts) and region with the pipeline's; objects with runsOn never come here"
            )
            log.event("no_task_yet", level="WARNING", group=self._group.name, minutes=waited // 60, advice=advice)
