"""A task as the service hands it over, typed: objects, ordered fields with repeated keys, references.

The task object (API Reference, TaskObject) is ``{taskId, pipelineId, attemptId, objects}``; ``objects`` may hold the
attempt only, although that refers to others. ``taskId`` works like a bearer token: only its digest is ever shown.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.backoff import persist
from agent.source import Handed, TaskSource
from core.errors import TaskMalformed
from core.redaction import REDACTOR

DIGEST_LENGTH = 16
_UNUSABLE = re.compile("[\0\ud800-\udfff]")
#: How long missing objects are asked for when the service has a bad moment, in seconds.
PATIENCE = 60.0


def digest(task_id: str) -> str:
    """Return the short name under which a task appears in logs and in its child's environment."""
    return hashlib.sha256(task_id.encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST_LENGTH]


@dataclass(frozen=True)
class Field:
    """One field: a text or the id of another object."""

    key: str
    value: str
    is_reference: bool


@dataclass(frozen=True)
class PipelineObject:
    """An object of a pipeline; the order of repeated fields is kept."""

    id: str
    name: str
    fields: tuple[Field, ...]

    def texts(self, key: str) -> list[str]:
        """Return every value of a field, in order."""
        return [field.value for field in self.fields if field.key == key and not field.is_reference]

    def text(self, key: str) -> str | None:
        """Return the first non-empty value of a field."""
        return next((value for value in self.texts(key) if value), None)

    def references(self, key: str) -> list[str]:
        """Return the ids that a field refers to, in order."""
        return [field.value for field in self.fields if field.key == key and field.is_reference]

    @property
    def type(self) -> str:
        """The type's name; empty when the object has none."""
        return self.text("type") or ""


@dataclass(frozen=True)
class Task:
    """One attempt of one activity, as handed over."""

    task_id: str
    pipeline_id: str
    attempt: PipelineObject
    objects: Mapping[str, PipelineObject]

    @property
    def component(self) -> str:
        """The id of the activity in the definition."""
        return next(iter(self.attempt.references("@componentParent")), "") or _stripped(self.attempt.id)

    @property
    def instance(self) -> str:
        """The id of the activity's instance, ``@X_<scheduledStart>``."""
        return next(iter(self.attempt.references("@instanceParent")), "") or self.attempt.id.rpartition("_Attempt=")[0]


def known_task(task_id: str, pipeline_id: str, attempt_id: str, component: str, kind: str) -> Task:
    """Return a task of which no more is known than this, as for an attempt that another agent has left."""
    fields = (Field("type", kind, is_reference=False), Field("@componentParent", component, is_reference=True))
    return Task(task_id, pipeline_id, PipelineObject(attempt_id, attempt_id, fields), {})


def _stripped(attempt_id: str) -> str:
    return attempt_id.lstrip("@").rpartition("_Attempt=")[0].rpartition("_")[0] or attempt_id


def parse_task(handed: Handed) -> Task:
    """Read a task; its secrets are known to the redactor until that is told to forget the task's id.

    Raises:
        TaskMalformed: a part is missing or has another shape; the message names it.
    """
    document = handed.document
    listed = document.get("objects")
    if not isinstance(listed, Mapping):
        raise TaskMalformed("the task has no map 'objects'; the service sent something else than a task object")
    objects = {str(key): parse_object(entry, str(key), handed.task_id) for key, entry in listed.items()}
    attempt_id = str(document.get("attemptId") or "")
    pipeline_id = _usable(str(document.get("pipelineId") or ""), "the task's pipelineId")
    if attempt_id not in objects:
        raise TaskMalformed(f"the task's objects do not hold its attempt {attempt_id!r}")
    return Task(handed.task_id, pipeline_id, objects[attempt_id], objects)


def parse_object(entry: Any, key: str, owner: str) -> PipelineObject:
    """Read one pipeline object; secret fields (``*password``, ``password``) are known to the redactor.

    They are until it is told to forget ``owner``, the id of the task.

    Raises:
        TaskMalformed: it is not ``{id, name, fields}``.
    """
    if not isinstance(entry, Mapping) or not isinstance(entry.get("fields"), Sequence):
        raise TaskMalformed(f"the object {key!r} of the task is not of the form {{id, name, fields}}")
    fields = tuple(_parse_field(field, key) for field in entry["fields"])
    for field in fields:
        if field.key.startswith("*") or field.key.lower().endswith("password"):
            REDACTOR.register(field.value, owner)
    name = str(entry.get("name") or key)
    return PipelineObject(_usable(str(entry.get("id") or key), f"the id of the object {key!r}"), name, fields)


def _parse_field(field: Any, key: str) -> Field:
    if isinstance(field, Mapping) and isinstance(name := field.get("key"), str):
        where = f"the field {name!r} of the object {key!r}"
        if isinstance(reference := field.get("refValue"), str):
            return Field(_usable(name, where), _usable(reference, where), is_reference=True)
        if isinstance(value := field.get("stringValue", ""), str):
            return Field(_usable(name, where), _usable(value, where), is_reference=False)
    raise TaskMalformed(f"a field of the object {key!r} is not of the form {{key, stringValue or refValue}}")


def _usable(text: str, where: str) -> str:
    """Return a text that can be written, logged and passed to a command, which the service's texts all are."""
    if _UNUSABLE.search(text):
        raise TaskMalformed(f"{where} holds a NUL or half of a surrogate pair, which no command can be given")
    return text


class Objects:
    """Finds the objects that a task refers to: in the task, else from the service, once per attempt."""

    def __init__(self, task: Task, source: TaskSource, stopped: threading.Event) -> None:
        self._task_id = task.task_id
        self._pipeline_id = task.pipeline_id
        self._source = source
        self._stopped = stopped
        self._known = dict(task.objects)

    def get(self, ids: Sequence[str]) -> list[PipelineObject]:
        """Return these objects, in this order.

        Raises:
            TaskMalformed: the pipeline has no object of that id.
            StoreUnreachable, Throttled, OwnershipLost, RequestRefused: the service did not give them.
        """
        missing = [name for name in dict.fromkeys(ids) if name not in self._known]
        if missing:
            for entry in persist(self._describe(missing), self._stopped, PATIENCE):
                described = parse_object(entry, str(entry.get("id")), self._task_id)
                self._known[described.id] = described
        unknown = [name for name in ids if name not in self._known]
        if unknown:
            raise TaskMalformed(f"the task refers to {unknown[0]!r}, which the pipeline {self._pipeline_id} has not")
        return [self._known[name] for name in ids]

    def _describe(self, ids: Sequence[str]) -> Callable[[], list[Mapping[str, Any]]]:
        return lambda: self._source.describe(self._pipeline_id, ids)
