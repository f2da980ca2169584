"""What the expressions of one object can see, and the object's fields with everything evaluated.

Source: AWS Data Pipeline Developer Guide, *Pipeline expressions*: references, ids, names, types and spheres are used
verbatim; ``node`` is the object that refers to an alarm or a precondition; ``#{parent.@id}`` is the id in the
definition, since an instance has its component as parent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from core.errors import ExpressionInvalid
from sandbox.datapipeline.catalogue import RUNTIME_SLOTS
from sandbox.datapipeline.definition import Definition
from sandbox.datapipeline.escapes import PROGRAM_FIELDS, unescape_once
from sandbox.datapipeline.expressions import Ref, Value, Verbatim, evaluate
from sandbox.datapipeline.objects import Field, PipelineObject
from sandbox.datapipeline.parameters import SECRET_MARK, Parameter

_ALONE = re.compile(r"\s*#\{\s*(\*?\w+)\s*\}\s*")
NEVER_EVALUATED = frozenset({"id", "name", "type", "@sphere"})

#: Gives the runtime fields (``@scheduledStartTime``, ``@status``, ``errorMessage`` …) of an object by its id.
Runtime = Callable[[str], Mapping[str, str]]


def no_runtime(_object_id: str) -> Mapping[str, str]:
    """Return no runtime fields: the scope of a definition that has not been activated."""
    return {}


class DefinitionScope:
    """The scope of one object of a definition in one run."""

    def __init__(
        self, definition: Definition, object_id: str, runtime: Runtime = no_runtime, node: str | None = None
    ) -> None:
        self._definition = definition
        self._object_id = object_id
        self._runtime = runtime
        self._node = node

    def field(self, object_id: str | None, name: str) -> list[Value]:
        """Return the values of a runtime field, of a field with all that it inherits, or of ``node``/``parent``.

        What a worker has not reported, such as the stack trace in an alarm's text, is the empty text, and so is a
        runtime field that the node does not have yet, such as the end of what is late.
        """
        owner = object_id or self._object_id
        if owner not in self._definition.objects:
            return []
        if name == "node" and owner == self._object_id and self._node is not None:
            return [Ref(self._node)]
        if name == "parent":
            return [Ref(owner)]
        if name == "@id" and owner == self._node and owner != self._object_id:
            return [Verbatim(self._runtime(owner).get(name, owner))]
        if name in {"@id", "id"} and object_id is not None:
            return [Verbatim(owner)]
        known = self._runtime_field(owner, name) or _field_values(self._definition.effective(owner), name)
        may_be_missing = name in RUNTIME_SLOTS or (name.startswith("@") and owner == self._node)
        return known or ([Verbatim("")] if may_be_missing else [])

    def parameter(self, name: str) -> list[Value]:
        """Return the values of a parameter as its type; an optional parameter without a value is the empty text.

        AWS's own samples name the secret parameter ``*myPassword`` as ``#{myPassword}``, too.
        """
        parameter = self._parameter(name)
        if parameter is None:
            return []
        return [*parameter.typed()] or ([""] if parameter.optional else [])

    def is_left_out(self, text: str) -> bool:
        """Tell whether a field is nothing but an optional parameter without a value: then there is no such field.

        So it is meant in the console's templates: ``"taskInstanceCount": "#{myTaskInstanceCount}"``.
        """
        alone = _ALONE.fullmatch(text)
        if alone is None or self.field(None, alone[1]):
            return False
        parameter = self._parameter(alone[1])
        return parameter is not None and parameter.optional and not parameter.values

    def _parameter(self, name: str) -> Parameter | None:
        parameters = self._definition.parameters
        return parameters.get(name) or parameters.get(f"{SECRET_MARK}{name}")

    def _runtime_field(self, owner: str, name: str) -> list[Value]:
        value = self._runtime(owner).get(name)
        return [] if value is None else [Verbatim(value)]


def _field_values(item: PipelineObject, name: str) -> list[Value]:
    match name:
        case "id" | "@id":
            return [Verbatim(item.id)]
        case "name" | "@name":
            return [Verbatim(item.name)]
        case "type" | "@sphere":
            return [Verbatim(field.string_value) for field in item.values(name) if field.string_value is not None]
    return [_value(field) for field in item.values(name)]


def _value(field: Field) -> Value:
    return Ref(field.ref_value) if field.ref_value is not None else field.string_value or ""


def evaluate_object(
    definition: Definition,
    object_id: str,
    runtime: Runtime = no_runtime,
    node: str | None = None,
    *,
    unescape: bool = True,
) -> PipelineObject:
    """Return an object as a task carries it: inherited fields merged in, expressions evaluated, references kept.

    Args:
        definition: the definition that holds the object.
        object_id: the component's id.
        runtime: gives the runtime fields of this and of every other object in this run.
        node: the object that refers to this one, for an alarm or a precondition.
        unescape: remove one level of backslashes from program texts (``unescape_once``).

    Raises:
        ExpressionInvalid: an expression cannot be read or evaluated; the message names object and field.
    """
    item = definition.effective(object_id)
    scope = DefinitionScope(definition, object_id, runtime, node)
    fields = [new for field in item.fields for new in evaluate_field(item.id, field, scope, unescape=unescape)]
    return PipelineObject(item.id, item.name, tuple(fields))


def evaluate_field(owner: str, field: Field, scope: DefinitionScope, *, unescape: bool = True) -> list[Field]:
    """Return a field with its expressions evaluated; several fields where an expression gives several values, or none.

    Raises:
        ExpressionInvalid: an expression cannot be read or evaluated; the message names object and field.
    """
    text = field.string_value
    if text is None or field.key in NEVER_EVALUATED:
        return [field]
    if scope.is_left_out(text):
        return []
    try:
        result = evaluate(text, scope)
    except ExpressionInvalid as error:
        raise ExpressionInvalid(f"Field {field.key!r} of object {owner!r}: {error}") from None
    remove_level = unescape and field.key in PROGRAM_FIELDS
    texts = [result] if isinstance(result, str) else result
    return [Field(field.key, unescape_once(value) if remove_level else value) for value in texts]
