"""Makes attempts: evaluates the fields of an activity and of what it refers to, at the moment the attempt is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from sandbox.datapipeline.clock import text_of
from sandbox.datapipeline.evaluation import api_object, in_run, linked_components
from sandbox.datapipeline.fields import instance_fields, instance_identity, texts
from sandbox.datapipeline.model import INSIDE, Attempt, AttemptContent, Instance
from sandbox.datapipeline.options import Options
from sandbox.datapipeline.placement import Placement
from sandbox.datapipeline.scope import Runtime, evaluate_object
from sandbox.datapipeline.state import State


class AttemptFactory:
    """Creates the next attempt of an instance."""

    def __init__(self, state: State, options: Options) -> None:
        self._state = state
        self._unescape = options.unescape == "on"
        self._placement = Placement(state, options)

    def create(self, instance: Instance, moment: float) -> Attempt:
        """Return the next attempt of an instance, evaluated now.

        Raises:
            PipelineInvalid: an expression cannot be evaluated.
            TaskMalformed: there is no worker group to give it to.
        """
        definition = self._state.plan_of(instance).definition
        number = instance.attempts + 1
        attempt_id = f"{instance.id}_Attempt={number}"
        runtime = run_scope(self._state, instance, attempt_id, moment)
        owner = self._state.owner(instance)
        node = owner.component if owner is not None else None
        own = evaluate_object(definition, instance.component, runtime, node, unescape=self._unescape)
        group = self._placement.group(instance, runtime)
        links = [] if group in INSIDE else linked_components(own.fields, definition, node)
        linked = [entry for name in links for entry in self._linked(instance, name, runtime)]
        content = AttemptContent(own.name, in_run(own.fields, partial(self._state.counterparts, instance)), linked)
        return Attempt(instance.pipeline_id, attempt_id, instance.id, number, group, content, moment, queued_at=moment)

    def _linked(self, instance: Instance, component: str, runtime: Runtime) -> Iterator[dict[str, Any]]:
        """Yield an object that an attempt refers to: each of its instances, or the component if it has none."""
        definition = self._state.plan_of(instance).definition
        evaluated = partial(evaluate_object, definition, component, unescape=self._unescape)
        alone = True
        for entry in self._state.counterparts(instance, component):
            alone = False
            item = evaluated(run_scope(self._state, entry, None, None))
            fields = in_run(item.fields, partial(self._state.counterparts, entry))
            yield api_object(entry.id, item.name, fields + instance_identity(entry))
        if alone:
            item = evaluated(runtime)
            yield api_object(component, item.name, in_run(item.fields, partial(self._state.counterparts, instance)))


def run_scope(state: State, instance: Instance, attempt_id: str | None, moment: float | None) -> Runtime:
    """Return what expressions see of the runtime fields around an instance, or one of its attempts.

    Another component is seen as the first of its instances that are meant; an object without an instance of its own
    (a database, a format) is seen with the scheduled times of this one.
    """
    times = {
        "@scheduledStartTime": text_of(instance.scheduled_start),
        "@scheduledEndTime": text_of(instance.scheduled_end),
    }
    own = texts(instance_fields(state, instance)) | {"@id": attempt_id or instance.id}
    if moment is not None:
        own["@actualStartTime"] = text_of(moment)

    def runtime(component: str) -> Mapping[str, str]:
        if component == instance.component:
            return own
        other = next(state.counterparts(instance, component), None)
        return times if other is None else texts(instance_fields(state, other)) | {"@id": other.id}

    return runtime
