"""Makes attempts: evaluates the fields of an activity and of what it refers to, at the moment the attempt is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.errors import TaskMalformed
from sandbox.datapipeline.clock import text_of
from sandbox.datapipeline.evaluation import api_object, in_run, linked_components
from sandbox.datapipeline.fields import instance_fields, instance_identity, texts
from sandbox.datapipeline.model import Attempt, AttemptContent, Instance
from sandbox.datapipeline.objects import PipelineObject
from sandbox.datapipeline.options import Options
from sandbox.datapipeline.scope import Runtime, evaluate_object
from sandbox.datapipeline.state import State


class AttemptFactory:
    """Creates the next attempt of an instance."""

    def __init__(self, state: State, options: Options) -> None:
        self._state = state
        self._unescape = options.unescape == "on"
        self._managed_group = options.managed_worker_group

    def create(self, instance: Instance, moment: float) -> Attempt:
        """Return the next attempt of an instance, evaluated now.

        Raises:
            PipelineInvalid: an expression cannot be evaluated.
            TaskMalformed: there is no worker group to give it to.
        """
        definition = self._state.plan_of(instance).definition
        run = self._state.run(instance.pipeline_id, instance.run)
        number = instance.attempts + 1
        attempt_id = f"{instance.id}_Attempt={number}"
        runtime = run_scope(self._state, run, instance, attempt_id, moment)
        own = evaluate_object(definition, instance.component, runtime, unescape=self._unescape)
        linked = [self._linked(instance, name, runtime) for name in linked_components(own.fields, definition)]
        content = AttemptContent(own.name, in_run(own.fields, run), linked)
        group = self._worker_group(own)
        return Attempt(instance.pipeline_id, attempt_id, instance.id, number, group, content, moment, queued_at=moment)

    def _worker_group(self, item: PipelineObject) -> str:
        """Return who is given the work of an object. ``runsOn`` goes before ``workerGroup``, which is then ignored.

        Source: AWS Data Pipeline Developer Guide, the ``workerGroup`` field of each activity's page.
        """
        group = self._managed_group if item.refs("runsOn") else item.string("workerGroup")
        if not group:
            raise TaskMalformed(f"{item.id} has no workerGroup; name the group of the worker that runs it")
        return group

    def _linked(self, instance: Instance, component: str, runtime: Runtime) -> dict[str, Any]:
        run = self._state.run(instance.pipeline_id, instance.run)
        definition = self._state.plan_of(instance).definition
        item = evaluate_object(definition, component, runtime, unescape=self._unescape)
        fields = in_run(item.fields, run)
        if component not in run:
            return api_object(component, item.name, fields)
        return api_object(run[component].id, item.name, fields + instance_identity(run[component]))


def run_scope(
    state: State, run: Mapping[str, Instance], instance: Instance, attempt_id: str | None, moment: float | None
) -> Runtime:
    """Return what expressions see of the runtime fields of a run, from one of its instances or attempts.

    An object without an instance of its own (a database, a format) is seen with the scheduled times of the run.
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
        if component in run:
            return texts(instance_fields(state, run[component])) | {"@id": run[component].id}
        return times

    return runtime
