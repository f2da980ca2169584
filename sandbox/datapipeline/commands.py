"""What people ask of a pipeline: activate, deactivate, cancel, rerun, mark finished, pause, resume.

Source: AWS Data Pipeline API Reference, *ActivatePipeline*, *DeactivatePipeline*, *SetStatus*; Developer Guide,
*Cascading failures and reruns*.
"""

from __future__ import annotations

from sandbox.datapipeline.clock import ServiceClock
from sandbox.datapipeline.model import Attempt, Instance, Pipeline, Status
from sandbox.datapipeline.ready_queue import ReadyQueue
from sandbox.datapipeline.scheduler import Scheduler
from sandbox.datapipeline.schedules import Interval, interval_of
from sandbox.datapipeline.state import State, instance_id

CANCELED_BY_USER = "Canceled through SetStatus"
CANCELED_BY_DEACTIVATION = "The pipeline was deactivated"
CANCELED_BY_ACTIVATION = "The on-demand pipeline was activated again"
CANCELED_BY_MARK = "Marked as finished through SetStatus"


class Commands:
    """Carries out what people ask."""

    def __init__(self, state: State, clock: ServiceClock, ready: ReadyQueue, scheduler: Scheduler) -> None:
        self._state = state
        self._clock = clock
        self._ready = ready
        self._scheduler = scheduler

    def activate(self, pipeline: Pipeline, start: float | None = None) -> None:
        """Start a pipeline with its latest definition, or let a deactivated one go on.

        An on-demand pipeline starts a new run; what is left of the run before is canceled (API Reference).
        """
        now = self._clock.now()
        plan = self._state.plan(pipeline.id, pipeline.latest_version)
        intervals = {name: interval_of(plan, name, pipeline.first_activated or now) for name in plan.components}
        if plan.on_demand:
            self._cancel_left(pipeline, CANCELED_BY_ACTIVATION)
            whole = self._free_start(pipeline, now)
            intervals = dict.fromkeys(plan.components, Interval(whole, whole, now))
        pipeline.active_version = pipeline.latest_version
        pipeline.state, pipeline.last_activated = Status.SCHEDULED, now
        pipeline.first_activated = pipeline.first_activated or now
        if plan.on_demand or not pipeline.run:
            pipeline.run += 1
        self._state.touch(pipeline)
        for component in plan.components:
            self._schedule(pipeline, component, intervals[component], None if plan.on_demand else start)
        for instance in self._state.index.run(pipeline.id, pipeline.run):
            self._resume(instance)
        self._scheduler.review(pipeline.id)

    def _free_start(self, pipeline: Pipeline, now: float) -> float:
        run = self._state.index.run(pipeline.id, pipeline.run)
        last = max((entry.scheduled_start for entry in run), default=0)
        return max(float(int(now)), last + 1)

    def _schedule(self, pipeline: Pipeline, component: str, interval: Interval, start: float | None) -> None:
        known = next(iter(self._state.index.occurrences(pipeline.id, pipeline.run, component)), None)
        if known is not None:
            known.version = pipeline.active_version
            self._state.touch(known)
            return
        self._state.add_instance(
            Instance(
                pipeline_id=pipeline.id,
                id=instance_id(component, interval.start),
                component=component,
                run=pipeline.run,
                version=pipeline.active_version,
                scheduled_start=interval.start,
                scheduled_end=interval.end,
                due=interval.due if start is None else max(interval.due, start),
            )
        )

    def _resume(self, instance: Instance) -> None:
        if instance.canceled_by_deactivation:
            self._reset(instance)
        attempt = self._state.head(instance)
        if attempt is not None and attempt.status == Status.INACTIVE:
            self._queue(attempt, instance)
        else:
            self._scheduler.advance(instance)

    def _queue(self, attempt: Attempt, instance: Instance) -> None:
        attempt.status = instance.status = Status.WAITING_FOR_RUNNER
        attempt.queued_at = self._clock.now()
        self._state.touch(attempt)
        self._state.touch(instance)
        self._ready.put(attempt)

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

    def deactivate(self, pipeline: Pipeline, *, cancel_active: bool) -> None:
        """Stop a pipeline; what runs is canceled, or finishes first."""
        pipeline.state = Status.DEACTIVATING
        self._state.touch(pipeline)
        for instance in self._state.index.active(pipeline.id):
            held = self._held(instance)
            if held and cancel_active:
                instance.canceled_by_deactivation = True
                self.cancel(instance, CANCELED_BY_DEACTIVATION)
            elif not held:
                self._set_aside(instance, Status.INACTIVE)
        self._scheduler.review(pipeline.id)

    def _set_aside(self, instance: Instance, status: str) -> None:
        attempt = self._state.head(instance)
        if attempt is not None and not attempt.terminal:
            self._unqueue(attempt, instance, status)
        else:
            instance.status = status
            self._state.touch(instance)

    def _cancel_left(self, pipeline: Pipeline, reason: str) -> None:
        """Cancel what has not ended, in earlier runs too: an instance of one may have been rerun."""
        for instance in self._state.index.active(pipeline.id):
            self.cancel(instance, reason)

    def cancel(self, instance: Instance, reason: str = CANCELED_BY_USER) -> None:
        """End an instance that has not ended; a worker that runs it is told at its next report."""
        if instance.terminal:
            return
        self._close_attempt(instance)
        instance.cancellation_reason = reason
        self._scheduler.settle(instance, Status.CANCELED)

    def mark_finished(self, instance: Instance) -> None:
        """Make an instance count as finished, whatever became of it; consumers go on."""
        if instance.status == Status.FINISHED:
            return
        self._close_attempt(instance)
        instance.error = {}
        instance.cascade_failed_on = None
        self._scheduler.settle(instance, Status.FINISHED)

    def _close_attempt(self, instance: Instance) -> None:
        attempt = self._state.head(instance)
        if attempt is not None and not attempt.terminal:
            self._scheduler.close(attempt, Status.CANCELED)

    def rerun(self, instances: list[Instance]) -> None:
        """Run instances again, and with each those consumers that failed because of it.

        An instance whose dependencies still stand failed returns to CASCADE_FAILED if it cascades.
        """
        again = {instance.id: instance for instance in instances}
        pending = list(instances)
        while pending:
            for consumer in self._scheduler.consumers(pending.pop()):
                if consumer.status == Status.CASCADE_FAILED and consumer.id not in again:
                    again[consumer.id] = consumer
                    pending.append(consumer)
        for instance in again.values():
            self._reset(instance)
        for instance in again.values():
            self._scheduler.advance(instance)

    def pause(self, pipeline: Pipeline, component: str) -> None:
        """Let no instance of a component start; what a worker has goes on."""
        if component not in pipeline.paused:
            pipeline.paused.append(component)
            self._state.touch(pipeline)
        for instance in self._unstarted(pipeline, component):
            self._set_aside(instance, Status.PAUSED)

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
        return [entry for entry in active if entry.status != Status.INACTIVE and not self._held(entry)]

    def _held(self, instance: Instance) -> bool:
        """Tell whether a worker has the task of an instance."""
        attempt = self._state.head(instance)
        return instance.status in Status.WITH_RUNNER and attempt is not None and attempt.queued_at is None
