"""Finds an object of any sphere by its id and writes it as the API does."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from sandbox.datapipeline.answers import InvalidRequest
from sandbox.datapipeline.attempts import run_scope
from sandbox.datapipeline.evaluation import api_object, in_run, readable_fields
from sandbox.datapipeline.fields import attempt_fields, component_fields, instance_fields, ref
from sandbox.datapipeline.model import Attempt, Instance, Pipeline
from sandbox.datapipeline.plan import Plan
from sandbox.datapipeline.scope import Runtime, no_runtime
from sandbox.datapipeline.state import State


@dataclass(frozen=True, slots=True)
class Described:
    """A component, an instance (``instance`` is set) or an attempt (both are set)."""

    id: str
    plan: Plan
    component: str
    instance: Instance | None = None
    attempt: Attempt | None = None

    def node(self, state: State) -> str | None:
        """Return the component that a precondition or an action is there for."""
        owner = state.owner(self.instance) if self.instance is not None else None
        return owner.component if owner is not None else None

    def runtime(self, state: State) -> Runtime:
        """Return what expressions see of the run that the object belongs to."""
        if self.instance is None:
            return no_runtime
        attempt = self.attempt
        return run_scope(state, self.instance, attempt.id if attempt else None, attempt.started if attempt else None)


def find(state: State, pipeline: Pipeline, object_id: str) -> Described:
    """Return an object of a pipeline by its id.

    Raises:
        InvalidRequest: the pipeline has no such object.
    """
    attempt = state.attempts[pipeline.id].get(object_id)
    instance = state.instance_of(attempt) if attempt else state.instances[pipeline.id].get(object_id)
    if instance is not None:
        return Described(object_id, state.plan_of(instance), instance.component, instance, attempt)
    if pipeline.latest_version:
        plan = state.plan(pipeline.id, pipeline.latest_version)
        if object_id in plan.definition.objects:
            return Described(object_id, plan, object_id)
    raise InvalidRequest(f"Pipeline {pipeline.id} has no object {object_id!r}")


def describe(state: State, pipeline: Pipeline, found: Described, *, evaluated: bool) -> dict[str, Any]:
    """Return an object with its runtime fields.

    A component has the fields it was given, or with ``evaluated`` also those it inherits, evaluated as far as that
    is possible outside a run. Instances and attempts have inherited fields in any case; an attempt's were evaluated
    when it was made.
    """
    if found.attempt is not None and found.instance is not None:
        fields = [*found.attempt.content.fields, ref("parent", found.component), *attempt_fields(state, found.attempt)]
        return api_object(found.id, found.id, fields)
    if found.instance is not None:
        return api_object(found.id, found.id, _instance(state, found, found.instance, evaluated=evaluated))
    item = found.plan.definition.objects[found.component]
    own = readable_fields(found.plan.definition, found.component, no_runtime) if evaluated else item.fields
    fields = [entry.to_api() for entry in own] + component_fields(state, pipeline, found.component)
    return api_object(item.id, item.name, fields)


def selectable(state: State, pipeline: Pipeline, found: Described) -> dict[str, Any]:
    """Return an object with those fields only that a query can select by: its name, its parent, what runs say."""
    if found.attempt is not None:
        runtime = attempt_fields(state, found.attempt)
    elif found.instance is not None:
        runtime = instance_fields(state, found.instance)
    else:
        return describe(state, pipeline, found, evaluated=False)
    return api_object(found.id, found.id, [ref("parent", found.component), *runtime])


def _instance(state: State, found: Described, instance: Instance, *, evaluated: bool) -> list[dict[str, str]]:
    definition = found.plan.definition
    if evaluated:
        own = readable_fields(definition, found.component, found.runtime(state), found.node(state))
    else:
        own = list(definition.effective(found.component).fields)
    meant = partial(state.counterparts, instance)
    return [*in_run(own, meant), ref("parent", found.component), *instance_fields(state, instance)]
