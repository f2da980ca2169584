"""Keeping what is ours: one thread reports every attempt, and ends those that are cancelled or lost.

Source: API Reference, ReportTaskProgress (report within 2 minutes, then regularly; runners report every 60 s; after
5 silent minutes the service hands the task to somebody else).
"""

from __future__ import annotations

import threading
import time

from agent import log
from agent.backoff import PASSING
from agent.observer import Observer
from agent.running import Held, Running
from agent.stop import StopReason
from agent.task import digest
from core.errors import DuctrunnerError, OwnershipLost

#: After a failed report the next one follows this much later, in seconds (or after the interval, if that is shorter).
RETRY = 5.0
#: With nothing to report the thread looks again after this many seconds.
IDLE = 60.0


class Lease:
    """Reports from a thread of its own, which the work cannot block."""

    def __init__(self, running: Running, window: float, observer: Observer) -> None:
        self._running = running
        self._window = window
        self._observer = observer
        self._wake = threading.Condition()
        self._due = float("inf")
        self._closed = False

    def watch(self, held: Held) -> None:
        """A new attempt is there: report it no later than its interval says."""
        with self._wake:
            if held.next_report < self._due:
                self._wake.notify()

    def close(self) -> None:
        """Let ``run`` return."""
        with self._wake:
            self._closed = True
            self._wake.notify()

    def run(self) -> None:
        """Report what is due, until closed."""
        while True:
            with self._wake:
                self._due = min((held.next_report for held in self._ours()), default=time.monotonic() + IDLE)
                if self._closed:
                    return
                self._wake.wait(max(0.0, self._due - time.monotonic()))
                if self._closed:
                    return
            for held in self._ours():
                if held.next_report <= time.monotonic():
                    self._report(held)

    def _ours(self) -> list[Held]:
        """The attempts to report; one that is cancelled or lost is only waiting for its child to end."""
        return [held for held in self._running.all() if held.stop.reason not in _GONE]

    def _report(self, held: Held) -> None:
        task_id = held.task_id
        try:
            canceled = held.group.source.report_progress(task_id, held.progress())
        except OwnershipLost as error:
            # Between our look and the answer, the same attempt may have come again under a new handle.
            if held.task_id == task_id:
                _end(held, StopReason.LOST, str(error))
        except DuctrunnerError as error:
            self._missed(held, error)
        else:
            held.heard(time.monotonic())
            self._observer.reported(held.group.name, None)
            if canceled:
                _end(held, StopReason.CANCELED, "the service answered canceled")

    def _missed(self, held: Held, error: DuctrunnerError) -> None:
        now = time.monotonic()
        self._observer.reported(held.group.name, error)
        held.next_report = now + min(RETRY, held.interval)
        level = "WARNING" if isinstance(error, PASSING) else "ERROR"
        log.event("report_failed", level=level, task=digest(held.task_id), error=str(error))
        if now - held.last_contact > self._window:
            _end(held, StopReason.LOST, f"no report reached the service for {self._window:.0f} s")


_GONE = frozenset({StopReason.CANCELED, StopReason.LOST})


def _end(held: Held, reason: StopReason, why: str) -> None:
    if not held.stop.set(reason):
        held.stop.reason = reason  # it was being ended already; now no status is due either
    log.event("attempt_stopping", level="WARNING", task=digest(held.task_id), reason=reason.value, why=why)
