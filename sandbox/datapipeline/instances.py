"""The instances of all pipelines: by id, by occurrence, by owner, and those that are still active.

An *occurrence* of a component is one interval of its schedule, or one activation of an on-demand pipeline. Its
instances are kept in the order of their scheduled start, by pipeline, run and component; the components of one
pipeline may have different schedules, so the counterparts of an instance are found by time: those whose interval
overlaps its own.

An instance with an *owner* is there for one other instance alone: a precondition for the activity or data node that
it guards, an action for what it tells of. The same component can be shared by many owners: each of them has an
instance of its own. To add one, and move it on at once::

    instance = Instance.owned_by(owner, "Ready", state.new_instance_id("Ready", owner))
    state.add_instance(instance)
    scheduler.advance(instance)

``state.owned(owner)`` finds it again (by component), ``state.owner(instance)`` leads back. The consumer of an owned
instance is its owner: when the instance is settled, an owner that is WAITING_ON_DEPENDENCIES is advanced. References
of an owner to the component, and of the instance to its owner's component, lead to these two. All this is written with
``state.touch`` like any instance, and is there again after a restart.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from operator import attrgetter
from types import MappingProxyType

from sandbox.datapipeline.model import Instance

_start = attrgetter("scheduled_start")
_NONE: Mapping[str, Instance] = MappingProxyType({})


class Instances:
    """Every instance, with the indexes that the service looks them up by; each look-up is logarithmic at most."""

    def __init__(self) -> None:
        self.by_pipeline: dict[str, dict[str, Instance]] = {}
        #: The instances of a component by pipeline, run and component, in the order of their scheduled start.
        self._series: dict[tuple[str, int], dict[str, list[Instance]]] = {}
        self._owned: dict[str, dict[str, dict[str, Instance]]] = {}
        self._active: dict[str, dict[str, dict[str, Instance]]] = {}
        #: How many instances of a pipeline's run have each status, and the status that each was counted with.
        self._tallies: dict[tuple[str, int], Counter[str]] = {}
        self._counted: dict[int, str] = {}

    def open(self, pipeline_id: str) -> None:
        """Make room for the instances of a pipeline."""
        for index in (self.by_pipeline, self._owned, self._active):
            index.setdefault(pipeline_id, {})

    def add(self, instance: Instance) -> None:
        """Take in a new instance."""
        self.by_pipeline[instance.pipeline_id][instance.id] = instance
        if instance.owner is not None:
            self._owned[instance.pipeline_id].setdefault(instance.owner, {})[instance.component] = instance
        series = self._series.setdefault((instance.pipeline_id, instance.run), {}).setdefault(instance.component, [])
        series.insert(bisect_right(series, instance.scheduled_start, key=_start), instance)
        self.recount(instance)

    def recount(self, instance: Instance) -> None:
        """Bring the counts in line with an instance whose status may have changed."""
        counted = self._counted.get(id(instance))
        if counted == instance.status:
            return
        self._counted[id(instance)] = instance.status
        if instance.owner is None:
            tally = self._tallies.setdefault((instance.pipeline_id, instance.run), Counter())
            if counted is not None:
                tally[counted] -= 1
            tally[instance.status] += 1
        self._list(instance)

    def _list(self, instance: Instance) -> None:
        components = self._active[instance.pipeline_id]
        if not instance.terminal:
            components.setdefault(instance.component, {})[instance.id] = instance
        elif instance.component in components:
            components[instance.component].pop(instance.id, None)
            if not components[instance.component]:
                del components[instance.component]

    def tally(self, pipeline_id: str, run: int) -> Mapping[str, int]:
        """Return how many instances of a run have each status; a status that none has is missing or 0.

        Those with an owner do not count: it stands for its preconditions, and no run fails by its alarms.
        """
        return self._tallies.get((pipeline_id, run), Counter())

    def active(self, pipeline_id: str, component: str | None = None) -> list[Instance]:
        """Return the instances that have not ended, of one component or of all."""
        active = self._active.get(pipeline_id, {})
        if component is not None:
            return list(active.get(component, {}).values())
        return [instance for entries in active.values() for instance in entries.values()]

    def is_active(self, pipeline_id: str) -> bool:
        """Tell whether a pipeline has an instance that has not ended."""
        return bool(self._active.get(pipeline_id))

    def occurrences(self, pipeline_id: str, run: int, component: str) -> list[Instance]:
        """Return the instances of a component in one run, in order; the list must not be changed."""
        return self._series.get((pipeline_id, run), {}).get(component, [])

    def run(self, pipeline_id: str, run: int) -> list[Instance]:
        """Return every instance of one run."""
        series = self._series.get((pipeline_id, run), {})
        return [instance for entries in series.values() for instance in entries]

    def occurrence(self, pipeline_id: str, run: int, component: str, start: float) -> Instance | None:
        """Return the occurrence of a component that is scheduled for exactly this moment."""
        entries = self.occurrences(pipeline_id, run, component)
        place = bisect_left(entries, start, key=_start)
        found = place < len(entries) and entries[place].scheduled_start == start
        return entries[place] if found else None

    def counterparts(self, instance: Instance, component: str) -> Iterator[Instance]:
        """Yield the occurrences of a component whose interval overlaps that of an instance, in order.

        With the same schedule that is the one with the same start, and so it is on demand, where intervals are
        empty. An owned instance has the interval of its owner.
        """
        entries = self.occurrences(instance.pipeline_id, instance.run, component)
        start, end = instance.scheduled_start, instance.scheduled_end
        for place in range(max(0, bisect_right(entries, start, key=_start) - 1), len(entries)):
            entry = entries[place]
            if entry.scheduled_start == start or (entry.scheduled_start < end and start < entry.scheduled_end):
                yield entry
            elif entry.scheduled_start >= end:
                return

    def owned(self, owner: Instance) -> Mapping[str, Instance]:
        """Return the instances that are there for another one alone, by component."""
        return self._owned[owner.pipeline_id].get(owner.id, _NONE)

    def forget(self, pipeline_id: str) -> None:
        """Drop the instances of a pipeline."""
        for instance in self.by_pipeline.pop(pipeline_id, {}).values():
            self._counted.pop(id(instance), None)
            self._series.pop((pipeline_id, instance.run), None)
            self._tallies.pop((pipeline_id, instance.run), None)
        self._owned.pop(pipeline_id, None)
        self._active.pop(pipeline_id, None)
