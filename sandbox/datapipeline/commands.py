"""What people ask of instances and components: cancel, rerun, mark finished, pause, resume.

Source: AWS Data Pipeline API Reference, *SetStatus*; Developer Guide, *Cascading failures and reruns*.
"""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.datapipeline.clock import ServiceClock
from sandbox.datapipeline.model import Attempt, Instance, Pipeline, Status
from sandbox.datapipeline.ready_queue import ReadyQueue
from sandbox.datapipeline.scheduler import CANCELED_WITH_OWNER, Scheduler
from sandbox.datapipeline.state import State

CANCELED_BY_USER = "Canceled through SetStatus"
CANCELED_BY_MARK = "Marked as finished through SetStatus"


class Commands:
    """Carries out what people ask."""

    def __init__(self, state: State, clock: ServiceClock, ready: ReadyQueue, scheduler: Scheduler) -> None:
        self._state = state
        self._clock = clock
        self._ready = ready
        self._scheduler = scheduler

    def revive(self, instance: Instance) -> None:
        """Let an instance that was canceled with its pipeline wait for it again."""
        if instance.canceled_by_deactivation:
            self._reset(instance)

    def take_up(self, instance: Instance) -> None:
        """Let an instance go on whose pipeline has been activated again."""
        self._state.touch(instance)
        attempt = self._state.head(instance)
        if attempt is not None and attempt.status == Status.INACTIVE:
            self._queue(attempt, instance)
        else:
            self._scheduler.advance(instance)

    def skip(self, instance: Instance) -> None:
        """Leave out an instance: its pipeline has been activated from a later moment on."""
        self._scheduler.close_head(instance)
        instance.canceled_by_deactivation = False
        instance.cancellation_reason = None
        self._scheduler.settle(instance, Status.SKIPPED)

    def is_held(self, instance: Instance) -> bool:
        """Tell whether a worker has the task of an instance."""
        attempt = self._state.head(instance)
        held = attempt is not None and attempt.queued_at is None and not attempt.inside
        return instance.status in Status.WITH_RUNNER and held

    def _queue(self, attempt: Attempt, instance: Instance) -> None:
        attempt.status = instance.status = Status.WAITING_FOR_RUNNER
        attempt.queued_at = self._clock.now()
        self._state.touch(attempt)
        self._state.touch(instance)
        self._ready.put(attempt)
        self._scheduler.announce(instance)

    def _unqueue(self, attempt: Attempt, instance: Instance, status: str) -> None:
        attempt.status = instance.status = status
        attempt.queued_at = None
        self._state.touch(attempt)
        self._state.touch(instance)

    def _reset(self, instance: Instance) -> None:
        instance.status = Status.SCHEDULED
        instance.tries = 0
        instance.started = instance.ended = instance.retry_at = None
        instance.cascade_failed_on = instance.cancellation_reason = None
        instance.canceled_by_deactivation = False
        instance.error = {}
        self._state.touch(instance)

    def set_aside(self, instance: Instance, status: str) -> None:
        """Let an instance that no worker holds wait, as INACTIVE or PAUSED."""
        attempt = self._state.head(instance)
        if attempt is not None and not attempt.terminal:
            self._unqueue(attempt, instance, status)
        else:
            instance.status = status
            self._state.touch(instance)

    def cancel(self, instance: Instance, reason: str = CANCELED_BY_USER) -> None:
        """End an instance that has not ended; a worker that runs it is told at its next report."""
        self._scheduler.cancel(instance, reason)

    def mark_finished(self, instance: Instance) -> None:
        """Make an instance count as finished, whatever became of it.

        Consumers go on: those that wait for it, and those that have failed because of it are run.
        """
        if instance.status == Status.FINISHED:
            return
        self._scheduler.close_head(instance)
        instance.error = {}
        instance.cascade_failed_on = None
        failed = self._failed_because_of(instance)
        self._scheduler.settle(instance, Status.FINISHED)
        self.rerun(failed)

    def rerun(self, instances: list[Instance]) -> None:
        """Run instances again, and with each those consumers that failed because of it, and what runs on a resource.

        An instance whose dependencies still stand failed returns to CASCADE_FAILED if it cascades.
        """
        again = {instance.id: instance for instance in instances}
        pending = list(instances)
        while pending:
            for drawn in self._drawn_in(pending.pop()):
                if drawn.id not in again:
                    again[drawn.id] = drawn
                    pending.append(drawn)
        for instance in again.values():
            self._reset(instance)
            self._renew(instance)
        for instance in again.values():
            self._scheduler.advance(instance)

    def _drawn_in(self, instance: Instance) -> Iterator[Instance]:
        """Yield what is run again with an instance."""
        yield from self._failed_because_of(instance)
        for entry in self._state.owned(instance).values():
            if entry.cancellation_reason == CANCELED_WITH_OWNER:
                yield entry
        for name in self._state.plan_of(instance).users.get(instance.component, []):
            yield from (user for user in self._state.counterparts(instance, name) if user.terminal)

    def _renew(self, instance: Instance) -> None:
        """Let an instance that is run again follow the definition that is active now; a run on demand keeps its own."""
        instance.rerun = True
        pipeline = self._state.pipelines[instance.pipeline_id]
        plan = self._state.plan(pipeline.id, pipeline.active_version)
        if not plan.on_demand and instance.component in plan.definition.objects:
            instance.version = pipeline.active_version

    def _failed_because_of(self, instance: Instance) -> list[Instance]:
        """Return the consumers that failed because of an instance, and not of another one."""
        consumers = self._scheduler.consumers(instance)
        return [
            entry
            for entry in consumers
            if entry.status == Status.CASCADE_FAILED and entry.cascade_failed_on == instance.id
        ]

    def pause(self, pipeline: Pipeline, component: str) -> None:
        """Let no instance of a component start; what a worker has goes on."""
        if component not in pipeline.paused:
            pipeline.paused.append(component)
            self._state.touch(pipeline)
        for instance in self._unstarted(pipeline, component):
            self.set_aside(instance, Status.PAUSED)

    def resume(self, pipeline: Pipeline, component: str) -> None:
        """Let a paused component go on."""
        if component in pipeline.paused:
            pipeline.paused.remove(component)
            self._state.touch(pipeline)
        for instance in self._state.index.active(pipeline.id, component):
            if instance.status == Status.PAUSED:
                self._unpause(instance)

    def _unpause(self, instance: Instance) -> None:
        attempt = self._state.head(instance)
        if attempt is not None and attempt.status == Status.PAUSED:
            self._queue(attempt, instance)
        else:
            self._scheduler.advance(instance)

    def _unstarted(self, pipeline: Pipeline, component: str) -> list[Instance]:
        active = self._state.index.active(pipeline.id, component)
        return [entry for entry in active if entry.status != Status.INACTIVE and not self.is_held(entry)]
