"""Who does the work of an instance: a worker group, or the service itself.

Source: AWS Data Pipeline Developer Guide, the ``workerGroup`` field of each activity's page ("if you provide a runsOn
value and workerGroup exists, workerGroup is ignored") and *Preconditions* ("the workerGroup resource is derived from
the activity that uses the precondition").
"""

from __future__ import annotations

from core.errors import TaskMalformed
from sandbox.datapipeline.catalogue import Kind
from sandbox.datapipeline.conditions import CONDITIONS
from sandbox.datapipeline.model import OWN_ALARMS, OWN_PRECONDITIONS, Instance
from sandbox.datapipeline.objects import PipelineObject
from sandbox.datapipeline.options import Options
from sandbox.datapipeline.scope import DefinitionScope, Runtime, evaluate_field
from sandbox.datapipeline.state import State


class Placement:
    """Names who is given the work of an instance."""

    def __init__(self, state: State, options: Options) -> None:
        self._state = state
        self._managed_group = options.managed_worker_group

    def group(self, instance: Instance, runtime: Runtime) -> str:
        """Return the worker group of an instance, or one of ``model.INSIDE`` if the service does its work.

        Raises:
            TaskMalformed: there is neither ``runsOn`` nor ``workerGroup`` to go by.
            ExpressionInvalid: the group is an expression that cannot be evaluated.
        """
        plan = self._state.plan_of(instance)
        kind = plan.kind(instance.component)
        if kind is Kind.ACTION:
            return OWN_ALARMS
        if kind is Kind.PRECONDITION and plan.definition.type_of(instance.component) in CONDITIONS:
            return OWN_PRECONDITIONS
        for component in self._deciding(instance):
            if group := self._named(instance, component, runtime):
                return group
        raise TaskMalformed(f"{instance.component} has no workerGroup; name the group of the worker that runs it")

    def _deciding(self, instance: Instance) -> list[str]:
        """Return the components whose fields decide, the first that says something wins."""
        plan, owner = self._state.plan_of(instance), self._state.owner(instance)
        if owner is None:
            return [instance.component]
        own = plan.definition.objects[instance.component]
        mine = [instance.component] if own.values("runsOn") or own.values("workerGroup") else []
        if plan.kind(owner.component) is Kind.ACTIVITY:
            return [*mine, owner.component]
        return [*mine, *plan.readers_and_writers(owner.component), owner.component]

    def _named(self, instance: Instance, component: str, runtime: Runtime) -> str | None:
        definition = self._state.plan_of(instance).definition
        item: PipelineObject = definition.effective(component)
        if item.refs("runsOn"):
            return self._managed_group
        scope = DefinitionScope(definition, component, runtime)
        groups = [new for field in item.values("workerGroup") for new in evaluate_field(component, field, scope)]
        return groups[0].string_value if groups else None
