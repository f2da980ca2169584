"""Keeping what is ours: one loop has every attempt reported in time, and ends those that are cancelled or lost.

Source: API Reference, ReportTaskProgress (report within 2 minutes, then regularly; runners report every 60 s; after
5 silent minutes the service hands the task to somebody else). The calls themselves are made by a few threads, so that
one slow answer does not make the reports of the other attempts late.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from agent import log
from agent.backoff import PASSING
from agent.observer import CALL_PATIENCE, Observer
from agent.running import Held, Running
from agent.stop import StopReason
from agent.task import digest
from core.clock import uptime
from core.errors import DuctrunnerError, OwnershipLost, RequestRefused

#: After a failed report the next one follows this much later, in seconds (or after the interval, if that is shorter).
RETRY = 5.0
#: With nothing to report the loop looks again after this many seconds.
IDLE = 60.0
#: Reports that may wait for an answer at the same time.
CALLS = 8
#: The fields of an attempt that AWS documents; a service that refuses others still gets these.
DOCUMENTED = ("attemptStatus", "currentRetryCount", "hostname", "lastRetryTime", "percentComplete")
_GONE = frozenset({StopReason.CANCELED, StopReason.LOST})


class Lease:
    """Reports from threads of its own, which the work cannot block."""

    def __init__(self, running: Running, window: float, observer: Observer) -> None:
        self._running = running
        self._window = window
        self._observer = observer
        self._wake = threading.Condition()
        self._asking: set[Held] = set()
        self._due = float("inf")
        self._closed = False
        self._broken: BaseException | None = None
        self._callers = ThreadPoolExecutor(CALLS, thread_name_prefix="lease-call")

    def watch(self, held: Held) -> None:
        """A new attempt is there: report it no later than its interval says."""
        with self._wake:
            if held.next_report < self._due:
                self._wake.notify()

    def close(self) -> None:
        """Let ``run`` return; calls that are under way are not awaited."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._callers.shutdown(wait=False, cancel_futures=True)

    def run(self) -> None:
        """Have reported what is due, until closed."""
        while self._wait():
            for held in self._waiting():
                if held.is_lost(self._window):
                    _end(held, StopReason.LOST, f"no report reached the service for {held.silent:.0f} s")
                elif held.next_report <= uptime():
                    self._ask(held)

    def _wait(self) -> bool:
        """Sleep until something is due; ``False`` when closed."""
        with self._wake:
            self._due = min((held.next_report for held in self._waiting()), default=uptime() + IDLE)
            if not self._closed and self._broken is None:
                pause = max(0.0, self._due - uptime())
                self._observer.turned(pause + CALL_PATIENCE)
                self._wake.wait(pause)
            if self._broken is not None:
                raise self._broken
            return not self._closed

    def _waiting(self) -> list[Held]:
        """The attempts to report; one that is cancelled or lost is only waiting for its child to end."""
        return [held for held in self._running.all() if held.stop.reason not in _GONE and held not in self._asking]

    def _ask(self, held: Held) -> None:
        with self._wake:
            if self._closed:
                return
            self._asking.add(held)
            self._callers.submit(self._report, held).add_done_callback(self._asked(held))

    def _asked(self, held: Held) -> Callable[[Future[None]], None]:
        def done(future: Future[None]) -> None:
            with self._wake:
                self._asking.discard(held)
                if not future.cancelled():
                    self._broken = self._broken or future.exception()
                self._wake.notify()

        return done

    def _report(self, held: Held) -> None:
        task_id = held.task_id
        try:
            canceled = _tell(held, task_id)
        except OwnershipLost as error:
            # Between our look and the answer, the same attempt may have come again under a new handle, or its status
            # may have been taken.
            if held.task_id == task_id and not held.ending:
                _end(held, StopReason.LOST, str(error))
            held.next_report = uptime() + held.interval
        except DuctrunnerError as error:
            self._missed(held, error)
        else:
            held.heard()
            self._observer.reported(held.group.name, None)
            if canceled:
                _end(held, StopReason.CANCELED, "the service answered canceled")

    def _missed(self, held: Held, error: DuctrunnerError) -> None:
        self._observer.reported(held.group.name, error)
        held.next_report = uptime() + min(RETRY, held.interval)
        level = "WARNING" if isinstance(error, PASSING) else "ERROR"
        log.event("report_failed", level=level, task=digest(held.task_id), error=str(error))
        if held.is_lost(self._window):
            _end(held, StopReason.LOST, f"no report reached the service for {held.silent:.0f} s")


def _tell(held: Held, task_id: str) -> bool:
    fields = held.progress()
    try:
        return held.group.source.report_progress(task_id, fields)
    except RequestRefused:
        known = {key: fields[key] for key in DOCUMENTED if key in fields}
        if known == fields:
            raise
        return held.group.source.report_progress(task_id, known)


def _end(held: Held, reason: StopReason, why: str) -> None:
    if not held.stop.set(reason):
        held.stop.reason = reason  # it was being ended already; now no status is due either
    log.event("attempt_stopping", level="WARNING", task=digest(held.task_id), reason=reason.value, why=why)
