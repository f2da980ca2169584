"""Which components of a definition get instances, and what each of these waits for."""

from __future__ import annotations

from typing import Any, Self

from sandbox.datapipeline.definition import Definition


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

    @classmethod
    def of(cls, body: dict[str, Any]) -> Self:
        """Return the plan of a definition in API form."""
        return cls(Definition.parse(body["objects"], body["parameterObjects"], body["parameterValues"]))

    @property
    def components(self) -> list[str]:
        """Return every component that gets instances."""
        return [*self.activities, *self.nodes]

    @property
    def on_demand(self) -> bool:
        """Tell whether every activation is a run of its own."""
        return any(self.schedule_type(component) == "ondemand" for component in self.activities)

    def schedule_type(self, component: str) -> str:
        """Return ``ondemand``, ``cron`` or ``timeseries``; cron where nothing is said."""
        return (self.definition.effective(component).string("scheduleType") or "cron").lower()

    def cascades(self, component: str) -> bool:
        """Tell whether a component fails with what it depends on (``failureAndRerunMode``)."""
        return (self.definition.effective(component).string("failureAndRerunMode") or "none").lower() == "cascade"

    def _nodes(self) -> list[str]:
        used = {
            node
            for activity in self.activities
            for key in ("input", "output")
            for node in self.definition.effective(activity).refs(key)
        }
        return [node for node in self.definition.data_nodes() if node in used]
