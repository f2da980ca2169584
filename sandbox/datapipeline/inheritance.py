"""What an object inherits: first from its ``parent`` and that one's parents, then from ``Default``.

Source: AWS Data Pipeline Developer Guide, *Pipeline definition file syntax*: "parent: the parent object from which
slots are inherited", and "Default: the object from which all objects inherit". A field of several values is
replaced as a whole by the nearest object that has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sandbox.datapipeline.objects import Field, PipelineObject

DEFAULT_ID = "Default"
#: What belongs to one object alone. ``type`` comes from a parent, which is of the same kind, but not from Default.
NOT_INHERITED = frozenset({"id", "name", "parent"})
NOT_INHERITED_FROM_DEFAULT = NOT_INHERITED | {"type"}


def _parents(objects: Mapping[str, PipelineObject], object_id: str) -> Iterator[PipelineObject]:
    """Yield the object and its parents, near to far; without end where they form a cycle."""
    item = objects.get(object_id)
    while item is not None:
        yield item
        item = next((objects[ref] for ref in item.refs("parent") if ref in objects), None)


def lineage(objects: Mapping[str, PipelineObject], object_id: str) -> Iterator[PipelineObject]:
    """Yield the object, its parents from near to far, and last Default; each once, so a cycle ends."""
    seen: set[str] = set()
    for item in _parents(objects, object_id):
        if item.id in seen:
            break
        seen.add(item.id)
        yield item
    if DEFAULT_ID in objects and DEFAULT_ID not in seen:
        yield objects[DEFAULT_ID]


def parent_cycle(objects: Mapping[str, PipelineObject], object_id: str) -> bool:
    """Tell whether following ``parent`` from an object leads back to an object already met."""
    seen: set[str] = set()
    for item in _parents(objects, object_id):
        if item.id in seen:
            return True
        seen.add(item.id)
    return False


def effective_fields(objects: Mapping[str, PipelineObject], object_id: str) -> tuple[Field, ...]:
    """Return the fields of an object with everything that it inherits; own fields first, order kept."""
    collected: list[Field] = []
    taken: set[str] = set()
    for ancestor in lineage(objects, object_id):
        own = ancestor.id == object_id
        barred = NOT_INHERITED_FROM_DEFAULT if ancestor.id == DEFAULT_ID else NOT_INHERITED
        for key in ancestor.field_names():
            if key in taken or (not own and (key in barred or key.startswith("@"))):
                continue
            taken.add(key)
            collected.extend(ancestor.values(key))
    return tuple(collected)
