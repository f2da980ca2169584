"""The state in memory, its indexes, and the record of what a call has changed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, count
from typing import Any

from sandbox.datapipeline.answers import PipelineDeleted, PipelineNotFound
from sandbox.datapipeline.clock import text_of
from sandbox.datapipeline.instances import Instances
from sandbox.datapipeline.model import Attempt, Instance, Pipeline, Status
from sandbox.datapipeline.plan import Assumed, Plan
from sandbox.datapipeline.store import Store


class State:
    """Everything the service knows. Changes are announced with ``touch`` and written by ``flush``."""

    def __init__(self, store: Store, assumed: Assumed | None = None) -> None:
        self._store = store
        self._assumed = assumed or Assumed()
        self.pipelines: dict[str, Pipeline] = {}
        self.by_name: dict[tuple[str, str], str] = {}
        self.index = Instances()
        self.attempts: dict[str, dict[str, Attempt]] = {}
        self.tasks: dict[str, Attempt] = {}
        self.orphaned: dict[str, str] = {}
        self._bodies: dict[tuple[str, int], dict[str, Any]] = {}
        self._plans: dict[tuple[str, int], Plan] = {}
        self._dirty: dict[int, Pipeline | Instance | Attempt] = {}
        self._new: dict[int, Attempt] = {}
        self._load()

    @property
    def instances(self) -> dict[str, dict[str, Instance]]:
        """Return every instance by id, by pipeline."""
        return self.index.by_pipeline

    def _load(self) -> None:
        for pipeline in self._store.pipelines():
            self._index_pipeline(pipeline)
        for pipeline_id, version, body in self._store.definitions():
            self._bodies[pipeline_id, version] = body
        for instance in self._store.instances():
            self.index.add(instance)
        for attempt in self._store.attempts():
            self._index_attempt(attempt)

    def _index_pipeline(self, pipeline: Pipeline) -> None:
        self.pipelines[pipeline.id] = pipeline
        if pipeline.deleted:
            self.orphaned |= dict.fromkeys(pipeline.orphaned_tasks, pipeline.id)
            return
        self.by_name[pipeline.name, pipeline.unique_id] = pipeline.id
        self.index.open(pipeline.id)
        self.attempts.setdefault(pipeline.id, {})

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
        self.index.add(instance)
        self.touch(instance)

    def add_attempt(self, attempt: Attempt) -> None:
        """Take in a new attempt."""
        self._index_attempt(attempt)
        self._new[id(attempt)] = attempt

    def touch(self, entity: Pipeline | Instance | Attempt) -> None:
        """Say that a record has changed and must be written before the call is answered."""
        self._dirty[id(entity)] = entity
        if isinstance(entity, Instance):
            self.index.recount(entity)

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
            self._plans[key] = Plan.of(self._bodies[key], self._assumed)
        return self._plans[key]

    def plan_of(self, instance: Instance) -> Plan:
        """Return the plan that an instance follows."""
        return self.plan(instance.pipeline_id, instance.version)

    def instances_of(self, pipeline: Pipeline, component: str) -> list[Instance]:
        """Return the instances of a component in all runs, oldest first."""
        runs = range(1, pipeline.run + 1)
        return [entry for run in runs for entry in self.index.occurrences(pipeline.id, run, component)]

    def new_instance_id(self, component: str, owner: Instance) -> str:
        """Return the id of a new instance that belongs to an owner: ``@X_<scheduledStart>``, which AWS writes.

        Where another owner's instance has it already, the owner's component is added, and then a number.
        """
        plain = instance_id(component, owner.scheduled_start)
        numbered = (f"{plain}_{owner.component}_{number}" for number in count(2))
        taken = self.instances[owner.pipeline_id]
        return next(name for name in chain((plain, f"{plain}_{owner.component}"), numbered) if name not in taken)

    def owned(self, owner: Instance) -> dict[str, Instance]:
        """Return the instances that are there for another one alone, by component."""
        return dict(self.index.owned(owner))

    def owner(self, instance: Instance) -> Instance | None:
        """Return the instance that this one is there for alone."""
        return self.instances[instance.pipeline_id][instance.owner] if instance.owner is not None else None

    def counterparts(self, instance: Instance, component: str) -> Iterator[Instance]:
        """Yield the instances that a reference from an instance to a component means, in order.

        They are what it owns, its owner, or the occurrences that overlap its interval.
        """
        mine = self.index.owned(instance).get(component)
        owner = self.owner(instance)
        if mine is not None:
            yield mine
        elif owner is not None and owner.component == component:
            yield owner
        else:
            yield from self.index.counterparts(instance, component)

    def unfinished_dependencies(self, instance: Instance) -> list[Instance]:
        """Return the instances that must finish before this one can start."""
        needs = self.plan_of(instance).needs.get(instance.component, frozenset())
        needed = (entry for name in sorted(needs) for entry in self.index.counterparts(instance, name))
        return [entry for entry in needed if entry.status not in Status.DONE]

    def waiting_on(self, instance: Instance) -> list[Instance]:
        """Return what an instance waits for: its dependencies and preconditions, or with its owner for the latter."""
        owner = self.owner(instance)
        if owner is not None:
            return self.unfinished_dependencies(owner)
        names = self.plan_of(instance).preconditions(instance.component)
        guards = [entry for name, entry in self.owned(instance).items() if name in names]
        return self.unfinished_dependencies(instance) + [entry for entry in guards if entry.status not in Status.DONE]

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
        self.index.forget(pipeline.id)
        self.by_name.pop((pipeline.name, pipeline.unique_id), None)
        for cache in (self._bodies, self._plans):
            for key in [key for key in cache if key[0] == pipeline.id]:
                del cache[key]
        self._store.forget(pipeline.id)
        self.touch(pipeline)


def instance_id(component: str, start: float) -> str:
    """Return the id of the occurrence of a component that is scheduled for a moment."""
    return f"@{component}_{text_of(start)}"
