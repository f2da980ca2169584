"""The state in memory, its indexes, and the record of what a call has changed."""

from __future__ import annotations

from typing import Any

from sandbox.datapipeline.answers import PipelineDeleted, PipelineNotFound
from sandbox.datapipeline.model import Attempt, Instance, Pipeline, Status
from sandbox.datapipeline.plan import Plan
from sandbox.datapipeline.store import Store


class State:
    """Everything the service knows. Changes are announced with ``touch`` and written by ``flush``."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.pipelines: dict[str, Pipeline] = {}
        self.by_name: dict[tuple[str, str], str] = {}
        self.instances: dict[str, dict[str, Instance]] = {}
        self.attempts: dict[str, dict[str, Attempt]] = {}
        self.tasks: dict[str, Attempt] = {}
        self.orphaned: dict[str, str] = {}
        #: Instances by component, by pipeline and number of the run.
        self.runs: dict[tuple[str, int], dict[str, Instance]] = {}
        self._bodies: dict[tuple[str, int], dict[str, Any]] = {}
        self._plans: dict[tuple[str, int], Plan] = {}
        self._dirty: dict[int, Pipeline | Instance | Attempt] = {}
        self._new: dict[int, Attempt] = {}
        self._load()

    def _load(self) -> None:
        for pipeline in self._store.pipelines():
            self._index_pipeline(pipeline)
        for pipeline_id, version, body in self._store.definitions():
            self._bodies[pipeline_id, version] = body
        for instance in self._store.instances():
            self._index_instance(instance)
        for attempt in self._store.attempts():
            self._index_attempt(attempt)

    def _index_pipeline(self, pipeline: Pipeline) -> None:
        self.pipelines[pipeline.id] = pipeline
        if pipeline.deleted:
            self.orphaned |= dict.fromkeys(pipeline.orphaned_tasks, pipeline.id)
            return
        self.by_name[pipeline.name, pipeline.unique_id] = pipeline.id
        self.instances.setdefault(pipeline.id, {})
        self.attempts.setdefault(pipeline.id, {})

    def _index_instance(self, instance: Instance) -> None:
        self.instances[instance.pipeline_id][instance.id] = instance
        self.runs.setdefault((instance.pipeline_id, instance.run), {})[instance.component] = instance

    def _index_attempt(self, attempt: Attempt) -> None:
        self.attempts[attempt.pipeline_id][attempt.id] = attempt
        if attempt.task_id:
            self.tasks[attempt.task_id] = attempt

    def add_pipeline(self, pipeline: Pipeline) -> None:
        """Take in a new pipeline."""
        self._index_pipeline(pipeline)
        self.touch(pipeline)

    def add_instance(self, instance: Instance) -> None:
        """Take in a new instance."""
        self._index_instance(instance)
        self.touch(instance)

    def add_attempt(self, attempt: Attempt) -> None:
        """Take in a new attempt."""
        self._index_attempt(attempt)
        self._new[id(attempt)] = attempt

    def touch(self, entity: Pipeline | Instance | Attempt) -> None:
        """Say that a record has changed and must be written before the call is answered."""
        self._dirty[id(entity)] = entity

    def flush(self) -> None:
        """Write what has changed into the open transaction."""
        changed = [entity for key, entity in self._dirty.items() if key not in self._new]
        self._store.save_pipelines([entity for entity in changed if isinstance(entity, Pipeline)])
        self._store.save_instances([entity for entity in changed if isinstance(entity, Instance)])
        self._store.add_attempts(self._new.values())
        self._store.save_attempts([entity for entity in changed if isinstance(entity, Attempt)])
        self._dirty.clear()
        self._new.clear()

    @property
    def changed(self) -> bool:
        """Tell whether there is something to write."""
        return bool(self._dirty or self._new)

    def pipeline(self, pipeline_id: str) -> Pipeline:
        """Return a pipeline.

        Raises:
            PipelineNotFound: there never was one with this id.
            PipelineDeleted: it has been deleted.
        """
        pipeline = self.pipelines.get(pipeline_id)
        if pipeline is None:
            raise PipelineNotFound(f"Pipeline {pipeline_id} was not found; list-pipelines shows those that are there")
        if pipeline.deleted:
            raise PipelineDeleted(f"Pipeline {pipeline_id} has been deleted")
        return pipeline

    def save_definition(self, pipeline: Pipeline, body: dict[str, Any]) -> None:
        """Keep a definition as the pipeline's latest version."""
        pipeline.latest_version += 1
        self._store.save_definition(pipeline.id, pipeline.latest_version, body)
        self._bodies[pipeline.id, pipeline.latest_version] = body
        self.touch(pipeline)

    def body(self, pipeline: Pipeline, version: int) -> dict[str, Any]:
        """Return a version of a definition in API form; version 0 is the empty definition."""
        if not version:
            return {"objects": [], "parameterObjects": [], "parameterValues": []}
        return self._bodies[pipeline.id, version]

    def plan(self, pipeline_id: str, version: int) -> Plan:
        """Return a version of a definition with its graph worked out."""
        key = (pipeline_id, version)
        if key not in self._plans:
            self._plans[key] = Plan.of(self._bodies[key])
        return self._plans[key]

    def plan_of(self, instance: Instance) -> Plan:
        """Return the plan that an instance follows."""
        return self.plan(instance.pipeline_id, instance.version)

    def run(self, pipeline_id: str, number: int) -> dict[str, Instance]:
        """Return the instances of one run by component."""
        return self.runs.get((pipeline_id, number), {})

    def unfinished_dependencies(self, instance: Instance) -> list[Instance]:
        """Return the instances that must finish before this one can start."""
        run = self.run(instance.pipeline_id, instance.run)
        needs = self.plan_of(instance).needs.get(instance.component, frozenset())
        return [run[name] for name in sorted(needs) if name in run and run[name].status != Status.FINISHED]

    def instance_of(self, attempt: Attempt) -> Instance:
        """Return the instance that an attempt tries."""
        return self.instances[attempt.pipeline_id][attempt.instance_id]

    def head(self, instance: Instance) -> Attempt | None:
        """Return the newest attempt of an instance."""
        head = instance.head_attempt
        return self.attempts[instance.pipeline_id][head] if head else None

    def forget(self, pipeline: Pipeline) -> None:
        """Drop the definition and history of a pipeline that is being deleted; its id stays known."""
        attempts = self.attempts.pop(pipeline.id, {}).values()
        for attempt in attempts:
            attempt.queued_at = None
        held = [attempt.task_id for attempt in attempts if attempt.task_id]
        for task_id in held:
            self.tasks.pop(task_id, None)
        pipeline.orphaned_tasks = held
        self.orphaned |= dict.fromkeys(held, pipeline.id)
        self.instances.pop(pipeline.id, None)
        self.by_name.pop((pipeline.name, pipeline.unique_id), None)
        for cache in (self._bodies, self._plans, self.runs):
            for key in [key for key in cache if key[0] == pipeline.id]:
                del cache[key]
        self._store.forget(pipeline.id)
        self.touch(pipeline)
