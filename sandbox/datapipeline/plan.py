"""Which components of a definition get instances, and what each of these waits for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from core.errors import ExpressionInvalid
from sandbox.datapipeline import limits
from sandbox.datapipeline.catalogue import Kind
from sandbox.datapipeline.definition import Definition
from sandbox.datapipeline.expressions import evaluate
from sandbox.datapipeline.inheritance import DEFAULT_ID, lineage
from sandbox.datapipeline.scope import DefinitionScope

if TYPE_CHECKING:
    from sandbox.datapipeline.schedules import Timetable


@dataclass(frozen=True, slots=True)
class Assumed:
    """What holds for components that do not say it, and the account's limit (see ``options``)."""

    schedule_type: str = "cron"
    active_instances: int = limits.MAX_ACTIVE_INSTANCES


class Plan:
    """One version of a definition, with the graph of what runs worked out once.

    Activities, the data nodes that they read or write and the resources that they run on get instances. An activity
    waits for activities, and for a data node that it reads where that has preconditions or another schedule; a data
    node waits for the activities that write it and for what its own ``dependsOn`` names.
    """

    def __init__(self, definition: Definition, assumed: Assumed | None = None) -> None:
        self.definition = definition
        self._assumed = assumed or Assumed()
        self.activities = self.definition.runnable_ids()
        self.nodes = self._nodes()
        #: The resource that an activity runs on, and the activities that run on a resource.
        self.runs_on = self._placements()
        self.users: dict[str, list[str]] = {}
        for activity, resource in self.runs_on.items():
            self.users.setdefault(resource, []).append(activity)
        #: The activities that use a data node or a resource.
        self.used_by = self.users | {node: self.readers_and_writers(node) for node in self.nodes}
        self.needs = {activity: self._awaited(activity) for activity in self.activities}
        self.needs |= {node: self.definition.producers(node) for node in self.nodes}
        self.consumers: dict[str, list[str]] = {component: [] for component in self.components}
        for component, needs in self.needs.items():
            for needed in needs:
                self.consumers[needed].append(component)
        #: Tells whether every activation is a run of its own.
        self.on_demand = any(self.schedule_type(component) == "ondemand" for component in self.activities)
        #: Timetables by component and moment of the first activation; ``upcoming`` fills it.
        self.timetables: dict[tuple[str, float], Timetable] = {}
        self._followers = {name: self._along(name) for name in self.activities}
        self._uses = {name: [each for each in self.used_by if name in self.used_by[each]] for name in self.activities}
        led = {node for nodes in self._followers.values() for node in nodes}
        #: The components whose occurrences are created by their schedule alone, the activities after what they use;
        #: the others follow an activity.
        self.recurring = [name for name in (*self.users, *self.nodes, *self.activities) if name not in led]

    @classmethod
    def of(cls, body: dict[str, Any], assumed: Assumed) -> Self:
        """Return the plan of a definition in API form."""
        return cls(Definition.parse(body["objects"], body["parameterObjects"], body["parameterValues"]), assumed)

    @property
    def components(self) -> list[str]:
        """Return every component that gets instances by a schedule."""
        return [*self.activities, *self.nodes, *self.users]

    def schedule(self, component: str) -> str | None:
        """Return the id of the schedule that a component has or inherits; a resource may have that of its user."""
        found = next(iter(self.definition.effective(component).refs("schedule")), None)
        if found is None and component in self.users:
            return self.schedule(self.users[component][0])
        return found if found in self.definition.objects else None

    def schedule_type(self, component: str) -> str:
        """Return ``ondemand``, ``cron`` or ``timeseries``."""
        return (self._known(component, "scheduleType") or self._assumed.schedule_type).lower()

    def cascades(self, component: str) -> bool:
        """Tell whether a component fails with what it depends on (``failureAndRerunMode``)."""
        return (self._known(component, "failureAndRerunMode") or "none").lower() == "cascade"

    def number(self, component: str, key: str, default: int) -> int:
        """Return a field that is a whole number; the default where it is missing or something else."""
        text = (self._known(component, key) or "").strip()
        return int(text) if text.isascii() and text.isdigit() else default

    def most_active(self, component: str) -> int:
        """Return how many instances of a component may be active (``maxActiveInstances``)."""
        limit = self._assumed.active_instances
        return min(self.number(component, "maxActiveInstances", limit), limit)

    def text(self, component: str, key: str) -> str | None:
        """Return a field as it is before anything runs: its first value, with parameters put in.

        Raises:
            ExpressionInvalid: it needs what is known at run time only.
        """
        written = self.definition.effective(component).string(key)
        if written is None or "#{" not in written:
            return written
        result = evaluate(written, DefinitionScope(self.definition, component))
        return result if isinstance(result, str) else next(iter(result), None)

    def followers(self, component: str) -> list[str]:
        """Return the data nodes and the resource of an activity that have its schedule: they are created with it."""
        return self._followers.get(component, [])

    def uses(self, component: str) -> list[str]:
        """Return the data nodes and the resource that an activity uses."""
        return self._uses.get(component, [])

    def kind(self, component: str) -> Kind:
        """Return what sort of object a component is."""
        return self.definition.kind_of(component)

    def preconditions(self, component: str) -> list[str]:
        """Return the preconditions of an activity or data node, each once, in order."""
        if self.kind(component) not in {Kind.ACTIVITY, Kind.DATA_NODE}:
            return []
        return self._of_kind(component, "precondition", Kind.PRECONDITION)

    def actions(self, component: str, event: str) -> list[str]:
        """Return the actions of ``onFail``, ``onSuccess`` or ``onLateAction``, each once; an action itself has none."""
        return [] if self.kind(component) is Kind.ACTION else self._of_kind(component, event, Kind.ACTION)

    def says(self, component: str, key: str) -> bool:
        """Tell whether a component or one of its parents has a field; what Default says does not count."""
        line = lineage(self.definition.objects, component)
        return any(item.values(key) for item in line if item.id != DEFAULT_ID)

    def readers_and_writers(self, node: str) -> list[str]:
        """Return the activities that use a data node, those that read it first."""
        found = dict.fromkeys(
            activity
            for key in ("input", "output", "dependsOn")
            for activity in self.activities
            if node in self.definition.effective(activity).refs(key)
        )
        return list(found)

    def _known(self, component: str, key: str) -> str | None:
        if component not in self.definition.objects:
            return None
        try:
            return self.text(component, key)
        except ExpressionInvalid:
            return None

    def _of_kind(self, component: str, key: str, kind: Kind) -> list[str]:
        named = dict.fromkeys(self.definition.effective(component).refs(key))
        return [name for name in named if name in self.definition.objects and self.kind(name) is kind]

    def _along(self, activity: str) -> list[str]:
        item = self.definition.effective(activity)
        used = {*item.refs("input"), *item.refs("output"), self.runs_on.get(activity)}
        others = [*self.nodes, *self.users]
        return [name for name in others if name in used and self.schedule(name) == self.schedule(activity)]

    def _awaited(self, activity: str) -> frozenset[str]:
        """Return what an activity waits for: activities, and data nodes with preconditions or another schedule."""
        item = self.definition.effective(activity)
        guarded = {
            node
            for node in (*item.refs("input"), *item.refs("dependsOn"))
            if node in self.nodes
            and (self.preconditions(node) or self.schedule(node) != self.schedule(activity))
            and activity not in self.definition.producers(node)
        }
        return self.definition.dependencies(activity) | guarded

    def _placements(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for activity in self.activities:
            for resource in self._of_kind(activity, "runsOn", Kind.RESOURCE)[:1]:
                found[activity] = resource
        return found

    def _nodes(self) -> list[str]:
        used: set[str] = set()
        for activity in self.activities:
            item = self.definition.effective(activity)
            used |= {*item.refs("input"), *item.refs("output")}
            used |= {name for name in self._of_kind(activity, "dependsOn", Kind.DATA_NODE) if self.preconditions(name)}
        return [node for node in self.definition.data_nodes() if node in used]
