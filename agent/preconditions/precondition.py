"""One precondition: evaluated, waited for, at last reported.

Rules, where AWS's documentation is silent:

- ``preconditionTimeout`` counts from the beginning of the first evaluation ("the period from start"). An evaluation
  that still runs by then is ended, and none begins any more: FALSE.
- ``retryDelay`` counts from the end of one evaluation to the beginning of the next.
- ``attemptTimeout`` counts from the hand-over and ends as ``ActivityTimedOut``, as of an activity.
- An evaluation that could not reach a store is made again like one that was not true; when the time is over, it is
  FAILED with that error. Every other error is FAILED at once.
"""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from agent import log, report
from agent.backoff import PASSING
from agent.deadline import period_of
from agent.outcome import Outcome
from agent.owned import Owned
from agent.source import Verdict
from agent.stop import StopReason, StopSignal
from agent.task import Objects, Task, digest
from agent.work import Work
from core.errors import PreconditionFalse, TaskMalformed
from core.periods import format_datetime
from core.sections.worker import AgentSettings

_AGAIN = frozenset(error.error_id for error in PASSING)


@dataclass(frozen=True)
class Terms:
    """What the definition says about its time, in seconds."""

    retry_delay: float
    timeout: float
    attempt_timeout: float


FOREVER = Terms(math.inf, math.inf, math.inf)


def read_terms(task: Task, settings: AgentSettings) -> Terms:
    """Return the terms of a precondition.

    Raises:
        TaskMalformed: one of them is no period.
    """
    delay, timeout = period_of(task, "retryDelay"), period_of(task, "preconditionTimeout")
    attempt_timeout = period_of(task, "attemptTimeout")
    return Terms(
        settings.precondition_retry_delay if delay is None else delay,
        settings.precondition_timeout if timeout is None else timeout,
        math.inf if attempt_timeout is None else attempt_timeout,
    )


class Precondition:
    """Used by one thread at a time; ``progress`` and ``ends`` by any."""

    def __init__(self, owned: Owned) -> None:
        self.owned = owned
        self._settings = owned.tools.settings
        task, source = owned.task, owned.tools.group.source
        #: What it refers to is asked for once, however often it is evaluated.
        self._objects = Objects(task, source, owned.held.stop.event)
        self._refused: Verdict | None = None
        try:
            self._terms = read_terms(task, owned.tools.settings)
        except TaskMalformed as error:
            self._terms, self._refused = FOREVER, report.failed(error)
        self._work: Work | None = None
        self._began: float | None = None
        self._count = 0
        self._last = 0.0
        self._status = "being evaluated"
        self._uploaded = -math.inf
        #: What the last evaluation has said, if that was not the end.
        self._missed: Verdict | None = None
        self._due = owned.started
        owned.held.progress = self.progress

    @property
    def stop(self) -> StopSignal:
        """What ends it before its time."""
        return self.owned.held.stop

    @property
    def due_at(self) -> float:
        """When it is to be evaluated next, in ``time.monotonic()``; infinite when it is not."""
        return self._due if self._due < self.over_at else math.inf

    @property
    def over_at(self) -> float:
        """When it is to be ended if it waits, in ``time.monotonic()``."""
        return 0.0 if self.stop.reason is not None else self.ends

    @property
    def ends(self) -> float:
        """When the waiting is over, in ``time.monotonic()``."""
        own_end = math.inf if self._began is None else self._began + self._terms.timeout
        return min(own_end, self.owned.started + self._terms.attempt_timeout)

    def progress(self) -> dict[str, str]:
        """Return the fields of a report."""
        fields = {"hostname": socket.gethostname(), "attemptStatus": self._status}
        if self._last:
            fields["currentRetryCount"] = str(self._count)
            fields["lastRetryTime"] = format_datetime(datetime.fromtimestamp(self._last, UTC))
        return fields

    def evaluate(self) -> Verdict | None:
        """Evaluate it once; ``None``: it is to be waited for.

        An unexpected error is its end, too: it must not take the worker along.
        """
        if self._refused:
            return self._refused
        self._began = self._began or time.monotonic()
        with _following(self.stop) as stop:
            verdict = self._carry_out(stop)
            return self._judged(verdict, stop.reason)

    def over(self) -> Verdict:
        """Return how it ends now that it is stopped, or its time is over while it waits."""
        if time.monotonic() >= self.owned.started + self._terms.attempt_timeout:
            self.stop.set(StopReason.TIMED_OUT)
        if self.stop.reason is None:
            return self._out_of_time()
        explain = Outcome(self.owned.task, self.stop, self._settings.output).explained
        return self._failed(explain(PreconditionFalse("it was stopped")))

    def end(self, verdict: Verdict) -> None:
        """Report it."""
        work = self._work or Work(self.owned.held, self.owned.task, self.owned.tools)
        self.owned.end(verdict, work)
        self.owned.let_go()

    def _carry_out(self, stop: StopSignal) -> Verdict:
        self._count, self._last = self._count + 1, time.time()
        work = self._work = Work(self.owned.held, self.owned.task, self.owned.tools, stop, self._objects)
        work.last_fields = self._last_fields
        self.owned.held.progress = self.progress
        try:
            return work.do(self._time_left)
        except Exception as error:  # one task must never take the worker along: the next worker would get it too
            log.failure("attempt_broken", error, task=digest(self.owned.task.task_id))
            return report.failed(error)

    def _time_left(self) -> float | None:
        return None if math.isinf(self.ends) else self.ends - time.monotonic()

    def _judged(self, verdict: Verdict, stopped: StopReason | None) -> Verdict | None:
        """Return what the evaluation means for the precondition."""
        if self.stop.reason is not None:
            return verdict
        if stopped is StopReason.TIMED_OUT:
            return self.over()
        if not verdict.untrue and verdict.error_id not in _AGAIN:
            return verdict
        self._missed, self._status = verdict, f"not true yet, evaluated {_times(self._count)}"
        self._due = time.monotonic() + self._terms.retry_delay
        self._upload_now_and_then()
        return None

    def _upload_now_and_then(self) -> None:
        now = time.monotonic()
        if self._work and now - self._uploaded >= self.owned.tools.logs.s3_interval:
            self._work.upload_logs()
            self._uploaded = now

    def _out_of_time(self) -> Verdict:
        """It was not true in its time; when the last evaluation could not be made, it has failed."""
        text = self.owned.task.attempt.text("preconditionTimeout") or f"{self._settings.precondition_timeout:g} seconds"
        last = self._missed.error_message.partition("\n")[0] if self._missed else "its evaluation took too long"
        sentence = (
            f"{self.owned.task.component} was not true within its preconditionTimeout of {text}; "
            f"evaluated {_times(self._count)}, at last: {last}"
        )
        verdict = self._failed(PreconditionFalse(sentence))
        if self._missed is None or self._missed.untrue:
            return verdict
        return replace(verdict, untrue=False, error_id=self._missed.error_id)

    def _failed(self, error: Exception) -> Verdict:
        """Return a verdict with the last lines and the place of the logs, which are in S3 by then."""
        if self._work is None:
            return report.failed(error)
        self._work.upload_logs()
        return report.failed(error, self._work.last_lines, self._work.logs, self._work.usage)

    def _last_fields(self) -> dict[str, str]:
        self._status = f"true, evaluated {_times(self._count)}"
        return self.progress()


@contextmanager
def _following(stop: StopSignal) -> Iterator[StopSignal]:
    """A signal for one evaluation, which its time may set too."""
    follower = stop.follower()
    try:
        yield follower
    finally:
        follower.close()


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
