"""Objects as they are in one run: evaluated, and with references led to the instances of that run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from core.errors import ExpressionInvalid
from sandbox.datapipeline.definition import Definition
from sandbox.datapipeline.model import ApiField, Instance
from sandbox.datapipeline.objects import Field
from sandbox.datapipeline.scope import DefinitionScope, Runtime, evaluate_field

#: References that do not lead to something the work needs.
_NOT_LINKED = frozenset({"parent", "dependsOn", "schedule", "onFail", "onSuccess", "onLateAction", "precondition"})
#: References that stay with the component.
_NOT_IN_RUN = frozenset({"parent", "schedule"})
#: Gives the instances that a reference to a component means.
Meant = Callable[[str], Iterable[Instance]]


def in_run(fields: Iterable[Field], meant: Meant) -> list[ApiField]:
    """Return the fields in API form, with references to components that have instances led to these.

    A reference to a component with a shorter period becomes several: one for each of its occurrences.
    """
    return [found for entry in fields if entry.key != "parent" for found in _led(entry, meant)]


def _led(entry: Field, meant: Meant) -> list[ApiField]:
    if entry.ref_value is None or entry.key in _NOT_IN_RUN:
        return [entry.to_api()]
    found = [{"key": entry.key, "refValue": instance.id} for instance in meant(entry.ref_value)]
    return found or [entry.to_api()]


def linked_components(fields: Iterable[Field], definition: Definition, node: str | None = None) -> list[str]:
    """Return the components that fields refer to and that the work needs: data nodes, databases, formats.

    ``node`` is what a precondition is there for, which no field of its own refers to.
    """
    found: dict[str, None] = {}
    pending = [*fields, *([Field("node", None, node)] if node is not None else [])]
    while pending:
        entry = pending.pop(0)
        target = entry.ref_value
        if target is None or entry.key in _NOT_LINKED or target in found or target not in definition.objects:
            continue
        found[target] = None
        pending += definition.effective(target).fields
    return list(found)


def readable_fields(definition: Definition, component: str, runtime: Runtime, node: str | None = None) -> list[Field]:
    """Return the effective fields of a component, evaluated where that is possible and as written elsewhere."""
    scope = DefinitionScope(definition, component, runtime, node)
    return [new for entry in definition.effective(component).fields for new in _readable(component, entry, scope)]


def _readable(component: str, entry: Field, scope: DefinitionScope) -> list[Field]:
    try:
        return evaluate_field(component, entry, scope, unescape=False)
    except ExpressionInvalid:
        return [entry]


def api_object(object_id: str, name: str, fields: list[ApiField]) -> dict[str, Any]:
    """Return an object in API form."""
    return {"id": object_id, "name": name, "fields": fields}
