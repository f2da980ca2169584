"""A pipeline definition: its objects, what they inherit, what depends on what, and its parameters.

Source: AWS Data Pipeline Developer Guide, *Pipeline definition file syntax* and *Schedules, data nodes and
dependencies*: an activity waits for what its ``dependsOn`` names, and for the activities whose ``output`` is its
``input``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import Any, Self

from core.errors import PipelineInvalid
from core.redaction import REDACTOR
from sandbox.datapipeline.catalogue import Kind, kind_of
from sandbox.datapipeline.inheritance import DEFAULT_ID, effective_fields
from sandbox.datapipeline.objects import PipelineObject
from sandbox.datapipeline.parameters import SECRET_MARK, Parameter, parse_parameters


class Definition:
    """A parsed definition; it never changes, so that everything derived from it is computed once."""

    def __init__(self, objects: dict[str, PipelineObject], parameters: dict[str, Parameter]) -> None:
        self.objects = objects
        self.parameters = parameters
        self._effective: dict[str, PipelineObject] = {}

    @classmethod
    def parse(
        cls,
        objects: Iterable[Mapping[str, Any]],
        parameter_objects: Iterable[Mapping[str, Any]] = (),
        parameter_values: Iterable[Mapping[str, Any]] = (),
    ) -> Self:
        """Read a definition in API form and register its secrets with the redactor.

        Raises:
            PipelineInvalid: an object, field or parameter cannot be read, or an id is used twice.
        """
        parsed: dict[str, PipelineObject] = {}
        for raw in objects:
            item = PipelineObject.from_api(raw)
            if item.id in parsed:
                raise PipelineInvalid(f"Object id {item.id!r} is used twice; give every object an id of its own")
            parsed[item.id] = item
            _register_secrets(item)
        return cls(parsed, parse_parameters(parameter_objects, parameter_values))

    def effective(self, object_id: str) -> PipelineObject:
        """Return an object with everything that it inherits from its parents and from ``Default``.

        Raises:
            PipelineInvalid: there is no such object.
        """
        if object_id not in self._effective:
            item = self._object(object_id)
            self._effective[object_id] = PipelineObject(item.id, item.name, effective_fields(self.objects, object_id))
        return self._effective[object_id]

    def type_of(self, object_id: str) -> str | None:
        """Return the type of an object, its parent's if it has none of its own; ``Default`` has none."""
        return self.effective(object_id).string("type")

    def kind_of(self, object_id: str) -> Kind:
        """Return what sort of object it is: an activity, a data node or a resource."""
        return Kind.DEFAULT if object_id == DEFAULT_ID else kind_of(self.type_of(object_id))

    def runnable_ids(self) -> list[str]:
        """Return the ids of the activities, in the order of the definition."""
        return self.of_kind(Kind.ACTIVITY)

    def data_nodes(self) -> list[str]:
        """Return the ids of the data nodes, in the order of the definition."""
        return self.of_kind(Kind.DATA_NODE)

    def of_kind(self, kind: Kind) -> list[str]:
        """Return the ids of the objects of one kind, in the order of the definition."""
        return [object_id for object_id in self.objects if self.kind_of(object_id) is kind]

    def dependencies(self, object_id: str) -> frozenset[str]:
        """Return the activities that must have finished before this one starts.

        They are those that its ``dependsOn`` names, and those that make a data node that it reads or names there.
        """
        return self._dependencies.get(object_id, frozenset())

    def producers(self, node: str) -> frozenset[str]:
        """Return the activities that must have finished before a data node is there.

        They are those that write it, and those that its own ``dependsOn`` names, through other data nodes too.
        """
        return self._awaited([node])

    def consumers(self, object_id: str) -> frozenset[str]:
        """Return the activities that wait directly for this one."""
        return frozenset(other for other, needs in self._dependencies.items() if object_id in needs)

    @cached_property
    def circle(self) -> list[str]:
        """Activities that wait for each other in a circle, first and last the same; empty if there is none."""
        try:
            self._sorter().prepare()
        except CycleError as error:
            return list(error.args[1])
        return []

    def order(self) -> list[str]:
        """Return the activities so that each comes after all that it depends on.

        Raises:
            PipelineInvalid: activities wait for each other in a circle.
        """
        if self.circle:
            raise PipelineInvalid(f"Activities wait for each other in a circle: {' -> '.join(self.circle)}; break it")
        return list(self._sorter().static_order())

    def _sorter(self) -> TopologicalSorter[str]:
        return TopologicalSorter({activity: sorted(self.dependencies(activity)) for activity in self.runnable_ids()})

    def parameter(self, parameter_id: str) -> list[str]:
        """Return the values of a parameter: those given, else its defaults; several for an array.

        Raises:
            PipelineInvalid: there is no such parameter.
        """
        if parameter_id not in self.parameters:
            raise PipelineInvalid(f"There is no parameter {parameter_id!r}; declare it or give it a value")
        return list(self.parameters[parameter_id].values)

    @cached_property
    def _dependencies(self) -> dict[str, frozenset[str]]:
        return {activity: self._needs(activity) for activity in self.runnable_ids()}

    @cached_property
    def _writers(self) -> dict[str, set[str]]:
        writers: dict[str, set[str]] = {}
        for activity in self.runnable_ids():
            for node in self.effective(activity).refs("output"):
                writers.setdefault(node, set()).add(activity)
        return writers

    def _needs(self, activity: str) -> frozenset[str]:
        item = self.effective(activity)
        return self._awaited(item.refs("dependsOn")) | (self._awaited(item.refs("input")) - {activity})

    def _awaited(self, names: Iterable[str]) -> frozenset[str]:
        """Return the activities among objects, and those that the data nodes among them wait for."""
        found: set[str] = set()
        seen: set[str] = set()
        pending = list(names)
        while pending:
            name = pending.pop()
            if name in seen or name not in self.objects:
                continue
            seen.add(name)
            if self.kind_of(name) is Kind.ACTIVITY:
                found.add(name)
            else:
                found |= self._writers.get(name, set())
                pending += self.effective(name).refs("dependsOn")
        return frozenset(found)

    def _object(self, object_id: str) -> PipelineObject:
        if object_id not in self.objects:
            raise PipelineInvalid(f"There is no object {object_id!r} in the definition")
        return self.objects[object_id]


def _register_secrets(item: PipelineObject) -> None:
    for field in item.fields:
        if field.key.startswith(SECRET_MARK) and field.string_value and "#{" not in field.string_value:
            REDACTOR.register(field.string_value)
