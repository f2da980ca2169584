"""``lateAfterTimeout``: what has not completed in time is late, once.

Source: AWS Data Pipeline Developer Guide, *Terminate* ("the period of time since the scheduled start … after which the
activity is considered late") and the field's text on each object's page ("triggered only when the schedule type is not
set to ondemand"). The pages disagree on whether an object must start or complete by then; today's say complete.
"""

from __future__ import annotations

from sandbox.datapipeline.actions import Actions
from sandbox.datapipeline.clock import ServiceClock
from sandbox.datapipeline.durations import seconds
from sandbox.datapipeline.model import Instance
from sandbox.datapipeline.options import Options
from sandbox.datapipeline.state import State
from sandbox.datapipeline.timers import Timers

_EVENT = "onLateAction"


class Lateness:
    """Watches instances that have something to do when they are late."""

    def __init__(self, state: State, clock: ServiceClock, options: Options, timers: Timers, actions: Actions) -> None:
        self._state = state
        self._clock = clock
        self._timers = timers
        self._actions = actions
        self._from = options.late_from
        self._until_started = options.late_until == "started"

    def watch(self, instance: Instance) -> None:
        """Ask for a look at an instance when it becomes late; harmless when that has been done."""
        if instance.late_at is None:
            self._set_moment(instance)
        self.set_timer(instance)

    def _set_moment(self, instance: Instance) -> None:
        plan = self._state.plan_of(instance)
        if not plan.actions(instance.component, _EVENT) or plan.on_demand:
            return
        after = seconds(self._state, instance, "lateAfterTimeout")
        if after is not None:
            instance.late_at = self._start(instance) + after
            self._state.touch(instance)

    def _start(self, instance: Instance) -> float:
        match self._from:
            case "due":
                return instance.due
            case "creation":
                return max(instance.scheduled_start, instance.created)
        return instance.scheduled_start

    def set_timer(self, instance: Instance) -> None:
        """Ask for a look when an instance becomes late, if it still can."""
        if instance.late_at is not None and not instance.late and not instance.terminal:
            self._timers.add(instance.late_at, instance.pipeline_id, instance.id)

    def look_at(self, instance: Instance) -> None:
        """Do what is to be done if an instance is late now; one of a deactivated pipeline waits for that, too."""
        if instance.late_at is None or instance.late or instance.terminal or instance.late_at > self._clock.now():
            return
        if not self._state.pipelines[instance.pipeline_id].active:
            return
        if self._until_started and self._has_started(instance):
            return
        instance.late = True
        self._state.touch(instance)
        self._actions.happened(instance, _EVENT)

    def _has_started(self, instance: Instance) -> bool:
        attempt = self._state.head(instance)
        return attempt is not None and (attempt.first_delivered is not None or attempt.number > 1)
