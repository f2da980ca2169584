"""Which components of a definition get instances, and what each of these waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from core.errors import ExpressionInvalid
from sandbox.datapipeline.definition import Definition
from sandbox.datapipeline.expressions import evaluate
from sandbox.datapipeline.scope import DefinitionScope

if TYPE_CHECKING:
    from sandbox.datapipeline.schedules import Timetable


class Plan:
    """One version of a definition, with the graph of what runs worked out once.

    Activities and the data nodes that they read or write get instances. An activity waits for activities; a data
    node waits for the activities that write it and for what its own ``dependsOn`` names.
    """

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self.activities = self.definition.runnable_ids()
        self.nodes = self._nodes()
        self.needs = {activity: self.definition.dependencies(activity) for activity in self.activities}
        self.needs |= {node: self.definition.producers(node) for node in self.nodes}
        self.consumers: dict[str, list[str]] = {component: [] for component in self.components}
        for component, needs in self.needs.items():
            for needed in needs:
                self.consumers[needed].append(component)
        #: Tells whether every activation is a run of its own.
        self.on_demand = any(self.schedule_type(component) == "ondemand" for component in self.activities)
        #: Timetables by component and moment of the first activation; ``upcoming`` fills it.
        self.timetables: dict[tuple[str, float], Timetable] = {}
        self._followers = {name: self._nodes_along(name) for name in self.activities}
        led = {node for nodes in self._followers.values() for node in nodes}
        #: The components whose occurrences are created by their schedule alone; the other nodes follow an activity.
        self.recurring = [name for name in self.components if name not in led]

    @classmethod
    def of(cls, body: dict[str, Any]) -> Self:
        """Return the plan of a definition in API form."""
        return cls(Definition.parse(body["objects"], body["parameterObjects"], body["parameterValues"]))

    @property
    def components(self) -> list[str]:
        """Return every component that gets instances."""
        return [*self.activities, *self.nodes]

    def schedule(self, component: str) -> str | None:
        """Return the id of the schedule that a component has or inherits."""
        found = next(iter(self.definition.effective(component).refs("schedule")), None)
        return found if found in self.definition.objects else None

    def schedule_type(self, component: str) -> str:
        """Return ``ondemand``, ``cron`` or ``timeseries``; cron where nothing is said."""
        return (self._known(component, "scheduleType") or "cron").lower()

    def cascades(self, component: str) -> bool:
        """Tell whether a component fails with what it depends on (``failureAndRerunMode``)."""
        return (self._known(component, "failureAndRerunMode") or "none").lower() == "cascade"

    def number(self, component: str, key: str, default: int) -> int:
        """Return a field that is a whole number; the default where it is missing or something else."""
        text = (self._known(component, key) or "").strip()
        return int(text) if text.isascii() and text.isdigit() else default

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
        """Return the data nodes that an activity uses and that have its schedule: their occurrences come with its."""
        return self._followers.get(component, [])

    def _known(self, component: str, key: str) -> str | None:
        if component not in self.definition.objects:
            return None
        try:
            return self.text(component, key)
        except ExpressionInvalid:
            return None

    def _nodes_along(self, activity: str) -> list[str]:
        item = self.definition.effective(activity)
        used = {*item.refs("input"), *item.refs("output")}
        return [node for node in self.nodes if node in used and self.schedule(node) == self.schedule(activity)]

    def _nodes(self) -> list[str]:
        used = {
            node
            for activity in self.activities
            for key in ("input", "output")
            for node in self.definition.effective(activity).refs(key)
        }
        return [node for node in self.definition.data_nodes() if node in used]
