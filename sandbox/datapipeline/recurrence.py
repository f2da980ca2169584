"""Creates the instances of scheduled pipelines, each a little before its time.

Source: AWS Data Pipeline Developer Guide, *Scheduling pipelines* (back-fill), the ``schedule`` and
``maxActiveInstances`` fields of each object, and *Limits*: physical objects are created slightly ahead of schedule and
run on schedule; of one object at most one in 5 minutes, and at most 5 that are active.

A start in the past, an outage of the service or a jump of its clock are all the same: intervals that have not been
created are made up for, oldest first, as fast as the limits allow. One look creates one occurrence, so that work is
bounded and the components of a pipeline move through their intervals side by side.
"""

from __future__ import annotations

import math

from sandbox.datapipeline.clock import ServiceClock
from sandbox.datapipeline.model import Instance, Pipeline
from sandbox.datapipeline.options import Options
from sandbox.datapipeline.scheduler import Scheduler
from sandbox.datapipeline.schedules import Interval
from sandbox.datapipeline.state import State, instance_id
from sandbox.datapipeline.timers import Timers
from sandbox.datapipeline.upcoming import is_held_back, next_interval, timetable_of


class Recurrence:
    """Looks at one component at a time: may its next occurrence be created, and if not, when?"""

    def __init__(
        self, state: State, clock: ServiceClock, options: Options, timers: Timers, scheduler: Scheduler
    ) -> None:
        self._state = state
        self._clock = clock
        self._options = options
        self._timers = timers
        self._scheduler = scheduler
        self._planned: dict[tuple[str, str], float] = {}

    def start(self, pipeline: Pipeline) -> None:
        """Look at every component of a pipeline that was activated, or that was active when the service stopped."""
        plan = self._state.plan(pipeline.id, pipeline.active_version)
        for component in () if plan.on_demand else plan.recurring:
            self._plan(pipeline.id, component, self._clock.now())

    def look_at(self, pipeline_id: str, component: str) -> None:
        """Create the next occurrence of a component, or ask for another look when that may be due.

        Where it is held back, that asks for it which it waits for: the end of one that is active, or the next
        occurrence of what uses it.
        """
        now = self._clock.now()
        if self._planned.get((pipeline_id, component), math.inf) <= now:
            del self._planned[pipeline_id, component]
        pipeline = self._state.pipelines[pipeline_id]
        if not pipeline.active or pipeline.deleted or not self._recurs(pipeline, component):
            return
        interval = next_interval(self._state, pipeline, component)
        if interval is None:
            self._scheduler.review(pipeline.id)
        elif not is_held_back(self._state, pipeline, component):
            moment = self._may_be_created(pipeline, component, interval)
            if moment <= now:
                self._create(pipeline, component, interval, now)
            self._plan(pipeline.id, component, max(now, moment))

    def _recurs(self, pipeline: Pipeline, component: str) -> bool:
        plan = self._state.plan(pipeline.id, pipeline.active_version)
        return not plan.on_demand and component in plan.recurring

    def _plan(self, pipeline_id: str, component: str, moment: float) -> None:
        planned = self._planned.get((pipeline_id, component), math.inf)
        if moment < planned:
            self._planned[pipeline_id, component] = moment
            self._timers.add(moment, pipeline_id, component)

    def _may_be_created(self, pipeline: Pipeline, component: str, interval: Interval) -> float:
        known = self._state.index.occurrences(pipeline.id, pipeline.run, component)
        earliest = known[-1].created + self._options.instance_interval if known else -math.inf
        return max(interval.due - self._options.creation_lead, earliest)

    def _create(self, pipeline: Pipeline, component: str, interval: Interval, now: float) -> None:
        """Create an occurrence, and those of the data nodes that follow the component, which it refers to."""
        plan = self._state.plan(pipeline.id, pipeline.active_version)
        created = [
            self._instance(pipeline, name, interval, now)
            for name in [*plan.followers(component), component]
            if self._state.index.occurrence(pipeline.id, pipeline.run, name, interval.start) is None
        ]
        for instance in created:
            self._state.add_instance(instance)
        for instance in created:
            self._scheduler.advance(instance)
        for name in plan.uses(component):
            self._plan(pipeline.id, name, now)

    def _instance(self, pipeline: Pipeline, component: str, interval: Interval, now: float) -> Instance:
        at_end = timetable_of(self._state, pipeline, component).at_end
        return Instance(
            pipeline_id=pipeline.id,
            id=instance_id(component, interval.start),
            component=component,
            run=pipeline.run,
            version=pipeline.active_version,
            scheduled_start=interval.start,
            scheduled_end=interval.end,
            due=interval.end if at_end else interval.start,
            created=now,
        )
