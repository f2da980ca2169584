"""What is still to come of a pipeline's schedules: read from the timetables and from what has been created so far.

The occurrences of a component are created in order, so the newest one tells where its timetable stands: nothing is
counted beside it, and a restart finds the same place.
"""

from __future__ import annotations

from sandbox.datapipeline.model import Instance, Pipeline, Status
from sandbox.datapipeline.schedules import Interval, Timetable, timetable
from sandbox.datapipeline.state import State


def timetable_of(state: State, pipeline: Pipeline, component: str) -> Timetable:
    """Return the timetable that a component of an activated pipeline follows."""
    plan = state.plan(pipeline.id, pipeline.active_version)
    anchor = pipeline.anchor or pipeline.first_activated or 0.0
    if (component, anchor) not in plan.timetables:
        plan.timetables[component, anchor] = timetable(plan, component, anchor)
    return plan.timetables[component, anchor]


def next_interval(state: State, pipeline: Pipeline, component: str) -> Interval | None:
    """Return the next interval of a component that has no instance yet; None if none is to come."""
    table = timetable_of(state, pipeline, component)
    return table.interval(_next_number(state, pipeline, component, table))


def exhausted(state: State, pipeline: Pipeline) -> bool:
    """Tell whether every instance that the schedules of a pipeline call for has been created."""
    plan = state.plan(pipeline.id, pipeline.active_version)
    return plan.on_demand or all(next_interval(state, pipeline, name) is None for name in plan.recurring)


def next_run(state: State, pipeline: Pipeline, component: str) -> float | None:
    """Return when the next occurrence of a component may start that has no instance yet.

    None if none is to come, or it waits for something else than its time.
    """
    if pipeline.state != Status.SCHEDULED:
        return None
    plan = state.plan(pipeline.id, pipeline.active_version)
    if plan.on_demand or component not in plan.recurring or is_held_back(state, pipeline, component):
        return None
    interval = next_interval(state, pipeline, component)
    return None if interval is None else interval.due


def is_held_back(state: State, pipeline: Pipeline, component: str) -> bool:
    """Tell whether the next occurrence of a component waits for something else than its time."""
    return _is_full(state, pipeline, component) or _is_ahead(state, pipeline, component)


def _is_full(state: State, pipeline: Pipeline, component: str) -> bool:
    """Tell whether as many instances of a component are active as may be ("re-runs do not count toward" them)."""
    active = sum(not entry.rerun for entry in state.index.active(pipeline.id, component))
    return active >= state.plan(pipeline.id, pipeline.active_version).most_active(component)


def _is_ahead(state: State, pipeline: Pipeline, component: str) -> bool:
    """Tell whether nothing that uses a data node or a resource has come so far yet; they do not run ahead for years."""
    using = state.plan(pipeline.id, pipeline.active_version).used_by.get(component, [])
    if all(next_interval(state, pipeline, name) is None for name in using):
        return False
    own = next_interval(state, pipeline, component)
    return own is not None and own.start >= max(_reach(state, pipeline, name) for name in using)


def _reach(state: State, pipeline: Pipeline, component: str) -> float:
    """Return the end of a component's next interval, of its last if none is to come."""
    upcoming = next_interval(state, pipeline, component)
    if upcoming is not None:
        return upcoming.end
    known = state.index.occurrences(pipeline.id, pipeline.run, component)
    return known[-1].scheduled_end if known else 0.0


def still_to_come(state: State, instance: Instance, component: str) -> bool:
    """Tell whether an instance of a component is yet to be created whose interval overlaps that of ``instance``."""
    pipeline = state.pipelines[instance.pipeline_id]
    plan = state.plan(pipeline.id, pipeline.active_version)
    if plan.on_demand or component not in plan.needs:
        return False
    table = timetable_of(state, pipeline, component)
    number = max(_next_number(state, pipeline, component, table), table.number_over(instance.scheduled_start))
    interval = table.interval(number)
    return interval is not None and interval.start < instance.scheduled_end


def _next_number(state: State, pipeline: Pipeline, component: str, table: Timetable) -> int:
    known = state.index.occurrences(pipeline.id, pipeline.run, component)
    first = table.number_from(pipeline.resumed_from) if pipeline.resumed_from is not None else 0
    return max(first, table.number_from(known[-1].scheduled_start + 1)) if known else first
