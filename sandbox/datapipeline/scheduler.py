"""The life of instances: from scheduled over waiting and running to an outcome, with retries and cascades.

Every method reads and changes the state only; what has changed is written by the call that caused it. Work is
proportional to the consumers of what changed: nothing scans all pipelines.
"""

from __future__ import annotations

from collections.abc import Callable

from core.errors import DuctrunnerError
from sandbox.datapipeline import limits
from sandbox.datapipeline.attempts import AttemptFactory
from sandbox.datapipeline.clock import ServiceClock
from sandbox.datapipeline.guards import Guards
from sandbox.datapipeline.model import Attempt, Instance, Pipeline, Status
from sandbox.datapipeline.options import Options
from sandbox.datapipeline.ready_queue import ReadyQueue
from sandbox.datapipeline.state import State
from sandbox.datapipeline.timers import Timers
from sandbox.datapipeline.upcoming import exhausted, still_to_come

#: What the service writes where an attempt cannot be made; ``Service_`` is its own prefix (API Reference).
_EVALUATION_FAILED = "Service_InvalidObject"
CANCELED_WITH_OWNER = "The object that it is a precondition of has ended"


class Scheduler:
    """Moves instances on."""

    def __init__(self, state: State, clock: ServiceClock, options: Options, ready: ReadyQueue, timers: Timers) -> None:
        self._state = state
        self._clock = clock
        self._options = options
        self._ready = ready
        self._timers = timers
        self._attempts = AttemptFactory(state, options)
        self.guards = Guards(state, options)
        #: Called with each instance that may start some time, that has a new attempt, that has its outcome.
        self.on_scheduled: list[Callable[[Instance], None]] = []
        self.on_attempt: list[Callable[[Instance], None]] = []
        self.on_settled: list[Callable[[Instance], None]] = []

    def advance(self, instance: Instance) -> None:
        """Start an instance if nothing holds it back: pipeline, pause, time, retry delay, dependencies."""
        pipeline = self._state.pipelines[instance.pipeline_id]
        if instance.terminal or instance.status in Status.WITH_RUNNER or not pipeline.active:
            return
        self.announce(instance)
        now = self._clock.now()
        if instance.component in pipeline.paused:
            self._set(instance, Status.PAUSED)
        elif max(instance.due, instance.retry_at or 0) > now:
            self._set(instance, Status.SCHEDULED)
            self._timers.add(max(instance.due, instance.retry_at or 0), instance.pipeline_id, instance.id)
        else:
            self._start(instance, now)

    def announce(self, instance: Instance) -> None:
        """Say that an instance may start some time, or goes on."""
        for follow in self.on_scheduled:
            follow(instance)

    def _start(self, instance: Instance, now: float) -> None:
        if self._waits_with_owner(instance):
            self._set(instance, Status.WAITING_ON_DEPENDENCIES)
            return
        if instance.started is None:
            instance.started = now
            self._state.touch(instance)
        guards = self.guards.unfinished(instance)
        dependencies = self._state.unfinished_dependencies(instance)
        if cause := self._cause_of_failure(instance, dependencies or guards):
            instance.cascade_failed_on = cause.id
            self.settle(instance, Status.CASCADE_FAILED)
        elif dependencies or self._awaits_more(instance):
            self._set(instance, Status.WAITING_ON_DEPENDENCIES)
        elif guards:
            self._set(instance, Status.WAITING_ON_DEPENDENCIES)
            for guard in guards:
                self.advance(guard)
        else:
            self._go(instance)

    def _go(self, instance: Instance) -> None:
        """Do what an instance is there for; a resource waits until something runs on it."""
        plan = self._state.plan_of(instance)
        if instance.component in plan.nodes:
            self.settle(instance, Status.FINISHED)
        elif instance.component in plan.users:
            self._set(instance, Status.WAITING_ON_DEPENDENCIES)
        else:
            self.attempt(instance)

    def _waits_with_owner(self, instance: Instance) -> bool:
        """Tell whether an instance is a precondition whose owner has something else to wait for."""
        owner = self._state.owner(instance)
        if owner is None or not self.guards.is_one(instance):
            return False
        return bool(self._state.unfinished_dependencies(owner)) or self._awaits_more(owner)

    def _cause_of_failure(self, instance: Instance, blocking: list[Instance]) -> Instance | None:
        failed = [entry for entry in blocking if entry.status in Status.UNSUCCESSFUL]
        return next((entry for entry in failed if self.guards.fails_with(instance, entry)), None)

    def _awaits_more(self, instance: Instance) -> bool:
        """Tell whether something it depends on is not even created: another period, or a back-fill on its way."""
        needs = self._state.plan_of(instance).needs.get(instance.component, frozenset())
        return any(still_to_come(self._state, instance, name) for name in needs)

    def attempt(self, instance: Instance) -> None:
        """Make the next attempt of an instance and queue it; the instance fails if it cannot be made."""
        now = self._clock.now()
        try:
            attempt = self._attempts.create(instance, now)
        except DuctrunnerError as error:
            instance.error = {"errorId": _EVALUATION_FAILED, "errorMessage": str(error)}
            self.settle(instance, Status.FAILED)
            return
        instance.attempts, instance.retry_at = attempt.number, None
        instance.tries += 1
        self._state.add_attempt(attempt)
        self._state.touch(instance)
        self._ready.put(attempt)
        self._set(instance, Status.WAITING_FOR_RUNNER)
        for follow in self.on_attempt:
            follow(instance)

    def attempt_ended(self, attempt: Attempt, status: str, *, again: bool | None = None) -> None:
        """Give an attempt its outcome and decide about its instance: finished, another try, or failed.

        ``again`` says whether there is another try, in place of ``maximumRetries``.
        """
        instance = self._state.instance_of(attempt)
        self.close(attempt, status)
        if status == Status.FINISHED or not (self._may_retry(attempt, instance) if again is None else again):
            self.settle(instance, status)
            return
        instance.retry_at = self.next_try(attempt)
        instance.status = Status.SCHEDULED
        self._state.touch(instance)
        if self._state.pipelines[instance.pipeline_id].active:
            self.advance(instance)
        else:
            self._set(instance, Status.INACTIVE)
            self.review(instance.pipeline_id)

    def close(self, attempt: Attempt, status: str) -> None:
        """Give an attempt its outcome."""
        attempt.status = status
        attempt.ended = self._clock.now()
        attempt.queued_at = None
        self._state.touch(attempt)

    def settle(self, instance: Instance, status: str) -> None:
        """Give an instance its outcome and let its consumers follow."""
        instance.status = status
        instance.ended = self._clock.now()
        instance.retry_at = None
        self._state.touch(instance)
        if instance.owner is None and not self._state.plan_of(instance).on_demand:
            self._timers.add(instance.ended, instance.pipeline_id, instance.component)  # its place may be taken
        for follow in self.on_settled:
            follow(instance)
        for consumer in self.consumers(instance):
            if consumer.status == Status.WAITING_ON_DEPENDENCIES:
                self.advance(consumer)
        self.review(instance.pipeline_id)

    def cancel(self, instance: Instance, reason: str) -> None:
        """End an instance that has not ended; a worker that runs it is told at its next report."""
        if instance.terminal:
            return
        self.close_head(instance)
        instance.cancellation_reason = reason
        self.settle(instance, Status.CANCELED)

    def close_head(self, instance: Instance) -> None:
        """Cancel the attempt of an instance that has not ended."""
        attempt = self._state.head(instance)
        if attempt is not None and not attempt.terminal:
            self.close(attempt, Status.CANCELED)

    def cancel_guards(self, owner: Instance) -> None:
        """Cancel the preconditions of an instance that has its outcome: nobody waits for them any more."""
        for entry in self._state.owned(owner).values():
            if self.guards.is_one(entry):
                self.cancel(entry, CANCELED_WITH_OWNER)

    def consumers(self, instance: Instance) -> list[Instance]:
        """Return the instances that wait for this one: its owner, or those of the same interval."""
        owner = self._state.owner(instance)
        if owner is not None:
            return [owner]
        names = self._state.plan_of(instance).consumers.get(instance.component, [])
        return [entry for name in names for entry in self._state.counterparts(instance, name)]

    def review(self, pipeline_id: str) -> None:
        """Bring the state of a pipeline in line with its instances.

        When all instances have finished and its schedules have no more, it is FINISHED. One with a failure stays
        SCHEDULED, so that it can be rerun: SetStatus is refused on FINISHED pipelines (API Reference).
        """
        pipeline = self._state.pipelines[pipeline_id]
        if pipeline.state == Status.SCHEDULED and self._all_done(pipeline):
            pipeline.state = Status.FINISHED
        elif pipeline.state == Status.DEACTIVATING and not self._is_busy(pipeline):
            pipeline.state = Status.INACTIVE
            pipeline.last_deactivated = self._clock.now()
        else:
            return
        self._state.touch(pipeline)

    def _all_done(self, pipeline: Pipeline) -> bool:
        index = self._state.index
        if index.is_active(pipeline.id):
            return False
        tally = index.tally(pipeline.id, pipeline.run)
        return not any(tally[status] for status in Status.UNSUCCESSFUL) and exhausted(self._state, pipeline)

    def _is_busy(self, pipeline: Pipeline) -> bool:
        return any(entry.status in Status.WITH_RUNNER for entry in self._state.index.active(pipeline.id))

    def _set(self, instance: Instance, status: str) -> None:
        if instance.status != status:
            instance.status = status
            self._state.touch(instance)

    def _may_retry(self, attempt: Attempt, instance: Instance) -> bool:
        try:
            retries = int(attempt.content.text("maximumRetries") or limits.DEFAULT_RETRIES)
        except ValueError:
            retries = limits.DEFAULT_RETRIES
        return instance.tries <= (retries if self.guards.is_one(instance) else min(retries, limits.MAX_RETRIES))

    def next_try(self, attempt: Attempt) -> float:
        """Return the moment of the next attempt after this one."""
        written = attempt.content.seconds("retryDelay")
        asked = self._options.retry_delay_default if written is None else written
        return self._clock.now() + max(asked, self._options.retry_delay_minimum)
