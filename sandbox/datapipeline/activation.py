"""Activating and deactivating a pipeline.

Source: AWS Data Pipeline API Reference, *ActivatePipeline*, *DeactivatePipeline*; Developer Guide, *Deactivating your
pipeline* ("the pipeline resumes from the last completed execution by default, or you can specify the date and time"),
*Scheduling pipelines* and *Interpreting pipeline status details* (SKIPPED).
"""

from __future__ import annotations

from core.errors import PipelineInvalid
from sandbox.datapipeline import limits
from sandbox.datapipeline.catalogue import Kind
from sandbox.datapipeline.clock import ServiceClock, text_of
from sandbox.datapipeline.commands import Commands
from sandbox.datapipeline.inheritance import DEFAULT_ID
from sandbox.datapipeline.model import Instance, Pipeline, Status
from sandbox.datapipeline.options import Options
from sandbox.datapipeline.plan import Plan
from sandbox.datapipeline.recurrence import Recurrence
from sandbox.datapipeline.scheduler import Scheduler
from sandbox.datapipeline.schedules import timetable
from sandbox.datapipeline.state import State, instance_id

CANCELED_BY_DEACTIVATION = "The pipeline was deactivated"
CANCELED_BY_ACTIVATION = "The on-demand pipeline was activated again"


class Activation:
    """Starts and stops pipelines."""

    def __init__(
        self,
        state: State,
        clock: ServiceClock,
        options: Options,
        scheduler: Scheduler,
        commands: Commands,
        recurrence: Recurrence,
    ) -> None:
        self._state = state
        self._clock = clock
        self._options = options
        self._scheduler = scheduler
        self._commands = commands
        self._recurrence = recurrence

    def activate(self, pipeline: Pipeline, start: float | None = None) -> None:
        """Start a pipeline with its latest definition, or let a deactivated one go on.

        Args:
            pipeline: the pipeline; its latest definition is known to be valid.
            start: ``startTimestamp``: intervals of its schedules that begin before are skipped.

        Raises:
            PipelineInvalid: a schedule cannot be followed, or begins too long ago.
        """
        now = self._clock.now()
        plan = self._state.plan(pipeline.id, pipeline.latest_version)
        anchor = pipeline.anchor or pipeline.first_activated or float(int(start or now))
        if not plan.on_demand:
            self._check(plan, pipeline, anchor, start)
        pipeline.anchor = anchor
        pipeline.active_version = pipeline.latest_version
        pipeline.state, pipeline.last_activated = Status.SCHEDULED, now
        pipeline.first_activated = pipeline.first_activated or now
        self._state.touch(pipeline)
        if plan.on_demand:
            self._run_once(pipeline, plan)
        else:
            self._go_on(pipeline, plan, start)
        self._scheduler.review(pipeline.id)

    def _check(self, plan: Plan, pipeline: Pipeline, anchor: float, start: float | None) -> None:
        oldest = self._clock.now() - limits.MAX_START_AGE.total_seconds()
        refused = self._options.past_start == "refuse" and not pipeline.run
        for component in plan.components:
            first = max(timetable(plan, component, anchor).start.timestamp(), start or 0.0)
            if refused and first < oldest:
                raise PipelineInvalid(
                    f"{component} would begin at {text_of(first)}, more than a day ago, and make up for all runs "
                    "since; set a later startDateTime, or pass a startTimestamp"
                )

    def _run_once(self, pipeline: Pipeline, plan: Plan) -> None:
        """Start a run of an on-demand pipeline; of earlier ones, the newest may go on as ``maxActiveInstances`` says.

        Its default is 1 for on-demand pipelines: what is left of the run before is canceled.
        """
        self._cancel_older(pipeline, keep=plan.number(DEFAULT_ID, "maxActiveInstances", 1) - 1)
        now = self._clock.now()
        whole = max(float(int(now)), self._last_start(pipeline) + 1)
        pipeline.run += 1
        instances = [
            Instance(
                pipeline_id=pipeline.id,
                id=instance_id(component, whole),
                component=component,
                run=pipeline.run,
                version=pipeline.active_version,
                scheduled_start=whole,
                scheduled_end=whole,
                due=now,
                created=now,
            )
            for component in plan.components
        ]
        for instance in instances:
            self._state.add_instance(instance)
        for instance in instances:
            self._scheduler.advance(instance)

    def _last_start(self, pipeline: Pipeline) -> float:
        run = self._state.index.run(pipeline.id, pipeline.run)
        return max((entry.scheduled_start for entry in run), default=0.0)

    def _cancel_older(self, pipeline: Pipeline, keep: int) -> None:
        """Cancel what has not ended, but for the newest runs; an instance of an old one may have been rerun."""
        active = self._unended(pipeline)
        kept = sorted({entry.run for entry in active})[-keep:] if keep else []
        for instance in active:
            if instance.run not in kept:
                self._commands.cancel(instance, CANCELED_BY_ACTIVATION)

    def _go_on(self, pipeline: Pipeline, plan: Plan, start: float | None) -> None:
        """Let the schedules of a pipeline run, from where they stood or from a moment that the caller names."""
        pipeline.run = pipeline.run or 1
        pipeline.resumed_from = pipeline.resumed_from if start is None else start
        run = self._state.index.run(pipeline.id, pipeline.run)
        for instance in run:
            self._commands.revive(instance)
        for instance in run:
            if not instance.terminal:
                self._resume(instance, pipeline, plan, start)
        self._recurrence.start(pipeline)

    def _resume(self, instance: Instance, pipeline: Pipeline, plan: Plan, start: float | None) -> None:
        if instance.component in plan.definition.objects:
            instance.version = pipeline.active_version
        if start is None or instance.scheduled_start >= start or self._commands.is_held(instance):
            self._commands.take_up(instance)
        elif instance.owner is None:
            self._commands.skip(instance)

    def deactivate(self, pipeline: Pipeline, *, cancel_active: bool) -> None:
        """Stop a pipeline; what runs is canceled, or finishes first."""
        pipeline.state = Status.DEACTIVATING
        self._state.touch(pipeline)
        for instance in self._unended(pipeline):
            held = self._commands.is_held(instance)
            if held and cancel_active:
                instance.canceled_by_deactivation = True
                self._commands.cancel(instance, CANCELED_BY_DEACTIVATION)
            elif not held:
                self._commands.set_aside(instance, Status.INACTIVE)
        self._scheduler.review(pipeline.id)

    def _unended(self, pipeline: Pipeline) -> list[Instance]:
        """Return what has not ended, alarms excepted: what has happened is told all the same."""
        active = self._state.index.active(pipeline.id)
        return [entry for entry in active if self._state.plan_of(entry).kind(entry.component) is not Kind.ACTION]
