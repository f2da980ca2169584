"""The life of instances: from scheduled over waiting and running to an outcome, with retries and cascades.

Every method reads and changes the state only; what has changed is written by the call that caused it. Work is
proportional to the consumers of what changed: nothing scans all pipelines.
"""

from __future__ import annotations

from core.errors import DuctrunnerError
from core.periods import parse_period
from sandbox.datapipeline import limits
from sandbox.datapipeline.attempts import AttemptFactory
from sandbox.datapipeline.clock import ServiceClock
from sandbox.datapipeline.model import Attempt, Instance, Pipeline, Status
from sandbox.datapipeline.options import Options
from sandbox.datapipeline.ready_queue import ReadyQueue
from sandbox.datapipeline.state import State
from sandbox.datapipeline.timers import Timers
from sandbox.datapipeline.upcoming import exhausted, still_to_come

#: What the service writes where an attempt cannot be made; ``Service_`` is its own prefix (API Reference).
_EVALUATION_FAILED = "Service_InvalidObject"


class Scheduler:
    """Moves instances on."""

    def __init__(self, state: State, clock: ServiceClock, options: Options, ready: ReadyQueue, timers: Timers) -> None:
        self._state = state
        self._clock = clock
        self._options = options
        self._ready = ready
        self._timers = timers
        self._attempts = AttemptFactory(state, options)

    def advance(self, instance: Instance) -> None:
        """Start an instance if nothing holds it back: pipeline, pause, time, retry delay, dependencies."""
        pipeline = self._state.pipelines[instance.pipeline_id]
        if instance.terminal or instance.status in Status.WITH_RUNNER or not pipeline.active:
            return
        now = self._clock.now()
        if instance.component in pipeline.paused:
            self._set(instance, Status.PAUSED)
        elif max(instance.due, instance.retry_at or 0) > now:
            self._set(instance, Status.SCHEDULED)
            self._timers.add(max(instance.due, instance.retry_at or 0), instance.pipeline_id, instance.id)
        else:
            self._start(instance, now)

    def _start(self, instance: Instance, now: float) -> None:
        if instance.started is None:
            instance.started = now
            self._state.touch(instance)
        blocking = self._state.unfinished_dependencies(instance)
        failed = [entry for entry in blocking if entry.status in Status.UNSUCCESSFUL]
        if failed and self._state.plan_of(instance).cascades(instance.component):
            instance.cascade_failed_on = failed[0].id
            self.settle(instance, Status.CASCADE_FAILED)
        elif blocking or self._awaits_more(instance):
            self._set(instance, Status.WAITING_ON_DEPENDENCIES)
        elif instance.component in self._state.plan_of(instance).nodes:
            self.settle(instance, Status.FINISHED)
        else:
            self._attempt(instance, now)

    def _awaits_more(self, instance: Instance) -> bool:
        """Tell whether something it depends on is not even created: another period, or a back-fill on its way."""
        needs = self._state.plan_of(instance).needs.get(instance.component, frozenset())
        return any(still_to_come(self._state, instance, name) for name in needs)

    def _attempt(self, instance: Instance, now: float) -> None:
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

    def attempt_ended(self, attempt: Attempt, status: str) -> None:
        """Give an attempt its outcome and decide about its instance: finished, another try, or failed."""
        instance = self._state.instance_of(attempt)
        self.close(attempt, status)
        if status == Status.FINISHED or not self._may_retry(attempt, instance):
            self.settle(instance, status)
            return
        instance.retry_at = self._clock.now() + self._retry_delay(attempt)
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
        for consumer in self.consumers(instance):
            if consumer.status == Status.WAITING_ON_DEPENDENCIES:
                self.advance(consumer)
        self.review(instance.pipeline_id)

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
        tally = self._state.index.tally(pipeline_id, pipeline.run)
        if pipeline.state == Status.SCHEDULED and self._all_done(pipeline):
            pipeline.state = Status.FINISHED
        elif pipeline.state == Status.DEACTIVATING and not any(tally[status] for status in Status.WITH_RUNNER):
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

    def _set(self, instance: Instance, status: str) -> None:
        if instance.status != status:
            instance.status = status
            self._state.touch(instance)

    def _may_retry(self, attempt: Attempt, instance: Instance) -> bool:
        try:
            retries = int(attempt.content.text("maximumRetries") or limits.DEFAULT_RETRIES)
        except ValueError:
            retries = limits.DEFAULT_RETRIES
        return instance.tries <= min(retries, limits.MAX_RETRIES)

    def _retry_delay(self, attempt: Attempt) -> float:
        text = attempt.content.text("retryDelay")
        try:
            asked = parse_period(text).total_seconds() if text else self._options.retry_delay_default
        except ValueError:
            asked = self._options.retry_delay_default
        return max(asked, self._options.retry_delay_minimum)
