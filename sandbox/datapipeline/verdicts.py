"""What becomes of a precondition: fulfilled, looked at again, or failed because its time is over.

Source: AWS Data Pipeline Developer Guide, pages of the preconditions and *Task Runner threads and preconditions*. What
they leave open is answered so: within one attempt the service looks again and again (``currentRetryCount``,
``lastRetryTime``), after its ``retryDelay`` or at an interval of its own, until ``preconditionTimeout`` is over, or
without end. ``attemptTimeout`` ends the attempt, and there are ``maximumRetries`` more. A worker looks again and again
by itself; its FALSE ends the attempt.
"""

from __future__ import annotations

from core.errors import DuctrunnerError, StoreError
from sandbox.datapipeline.clock import ServiceClock, text_of
from sandbox.datapipeline.fields import text
from sandbox.datapipeline.guards import Guards
from sandbox.datapipeline.model import Attempt, Instance, Status
from sandbox.datapipeline.options import Options
from sandbox.datapipeline.ready_queue import ReadyQueue
from sandbox.datapipeline.scheduler import Scheduler
from sandbox.datapipeline.state import State
from sandbox.datapipeline.timers import Timers

_NEVER = float("inf")
_SET_ASIDE = frozenset({Status.INACTIVE, Status.PAUSED})
_FALSE = {"errorId": "Service_PreconditionFalse", "errorMessage": "The precondition is not fulfilled"}
_OVER = {
    "errorId": "Service_PreconditionTimedOut",
    "errorMessage": "The precondition was not fulfilled within its preconditionTimeout",
}
_TIMED_OUT = {"errorId": "Service_AttemptTimedOut", "errorMessage": "The attempt ran into its attemptTimeout"}


class Verdicts:
    """Decides about preconditions, those that workers evaluate and those of the service."""

    def __init__(
        self,
        state: State,
        clock: ServiceClock,
        options: Options,
        ready: ReadyQueue,
        timers: Timers,
        scheduler: Scheduler,
        guards: Guards,
    ) -> None:
        self._state = state
        self._clock = clock
        self._options = options
        self._ready = ready
        self._timers = timers
        self._scheduler = scheduler
        self._guards = guards

    def seen(self, attempt: Attempt, answer: bool | DuctrunnerError) -> None:
        """Take what a look has shown, or why it could not be made; a store that is away may be back the next time."""
        if attempt.terminal or attempt.status != Status.RUNNING:
            return
        now = self._clock.now()
        attempt.queued_at = None
        tries = int(attempt.progress.get("currentRetryCount", {}).get("stringValue", "0")) + 1
        attempt.progress["currentRetryCount"] = text("currentRetryCount", str(tries))
        attempt.progress["lastRetryTime"] = text("lastRetryTime", text_of(now))
        attempt.error = _error(answer) if isinstance(answer, DuctrunnerError) else {}
        if answer is True:
            self._scheduler.attempt_ended(attempt, Status.FINISHED)
        elif isinstance(answer, DuctrunnerError) and not isinstance(answer, StoreError):
            self._scheduler.attempt_ended(attempt, Status.FAILED)
        else:
            self._again(attempt, now)

    def _again(self, attempt: Attempt, now: float) -> None:
        if self._deadline(attempt) <= now:
            attempt.error = _with_reason(_OVER, attempt.error)
            self._scheduler.attempt_ended(attempt, Status.FAILED, again=False)
            return
        attempt.look_at = now + self._interval(attempt)
        self._state.touch(attempt)
        self.set_timer(attempt)

    def _interval(self, attempt: Attempt) -> float:
        """Return the seconds to the next look: ``retryDelay``, unless it is only Default's, meant for activities."""
        instance = self._state.instance_of(attempt)
        own = self._state.plan_of(instance).says(instance.component, "retryDelay")
        asked = attempt.content.seconds("retryDelay") if own else None
        return self._options.precondition_interval if asked is None else asked

    def set_timer(self, attempt: Attempt) -> None:
        """Ask for the next look at a precondition of the service."""
        if attempt.look_at is not None:
            due = min(attempt.look_at, self._deadline(attempt), self._attempt_ends(attempt))
            self._timers.add(due, attempt.pipeline_id, attempt.id)

    def look_at(self, attempt: Attempt) -> None:
        """Queue a precondition of the service for another look, or end an attempt that has lasted too long.

        At the deadline there is a last look, so that nothing fails that has been fulfilled since the one before.
        """
        now = self._clock.now()
        if attempt.look_at is None or attempt.status != Status.RUNNING:
            return
        if self._attempt_ends(attempt) <= now:
            attempt.error = _TIMED_OUT
            self._scheduler.attempt_ended(attempt, Status.TIMEDOUT)
        elif min(attempt.look_at, self._deadline(attempt)) <= now:
            attempt.look_at, attempt.queued_at = None, now
            self._state.touch(attempt)
            self._ready.put(attempt)
        else:
            self.set_timer(attempt)

    def ended(self, attempt: Attempt, status: str) -> None:
        """Take what a worker says; FALSE: the precondition is tried again until its time is over, or fails."""
        if status == "FALSE":
            self._false(attempt)
        else:
            over = self._scheduler.next_try(attempt) > self._deadline(attempt)
            self._scheduler.attempt_ended(attempt, status, again=False if over else None)

    def _false(self, attempt: Attempt) -> None:
        attempt.error = attempt.error or _FALSE
        deadline, retry = self._deadline(attempt), self._options.precondition_false == "retry"
        again = None if deadline == _NEVER else self._scheduler.next_try(attempt) <= deadline
        self._scheduler.attempt_ended(attempt, Status.FAILED, again=again if retry else False)

    def watch(self, instance: Instance) -> None:
        """Ask for a look at a precondition when its time is over."""
        attempt = self._state.head(instance) if self._guards.is_one(instance) else None
        if attempt is not None and self._deadline(attempt) != _NEVER:
            self._timers.add(self._deadline(attempt), instance.pipeline_id, instance.id)

    def overdue(self, instance: Instance) -> None:
        """Fail a precondition whose time is over and that nobody looks at.

        A worker that has it knows its time and may say FALSE any moment; it is given as long as it may be silent. What
        is paused or deactivated fails when it goes on.
        """
        attempt = self._state.head(instance)
        if attempt is None or not self._guards.is_one(instance) or instance.status in _SET_ASIDE:
            return
        deadline, now = self._deadline(attempt), self._clock.now()
        if deadline > now or (attempt.inside and not attempt.terminal):
            return
        held = not attempt.terminal and attempt.queued_at is None
        if held and now < deadline + self._options.ownership_window:
            self._timers.add(deadline + self._options.ownership_window, instance.pipeline_id, instance.id)
            return
        if not attempt.terminal:
            attempt.error = _OVER
            self._scheduler.close(attempt, Status.FAILED)
        instance.error = _OVER
        self._scheduler.settle(instance, Status.FAILED)

    def _deadline(self, attempt: Attempt) -> float:
        started = self._state.instance_of(attempt).started
        length = attempt.content.seconds("preconditionTimeout")
        return _NEVER if length is None or started is None else started + length

    def _attempt_ends(self, attempt: Attempt) -> float:
        length = attempt.content.seconds("attemptTimeout")
        return _NEVER if length is None else attempt.started + length


def _error(error: DuctrunnerError) -> dict[str, str]:
    return {"errorId": error.error_id, "errorMessage": str(error)}


def _with_reason(error: dict[str, str], last: dict[str, str]) -> dict[str, str]:
    reason = last.get("errorMessage")
    return {**error, "errorMessage": f"{error['errorMessage']}; the last look: {reason}"} if reason else error
