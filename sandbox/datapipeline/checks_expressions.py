"""Checks of expressions before anything runs: can they be read, and is there what they name?"""

from __future__ import annotations

from collections.abc import Iterator

from core.errors import ExpressionInvalid
from sandbox.datapipeline.catalogue import RUNTIME_SLOTS, Kind
from sandbox.datapipeline.definition import Definition
from sandbox.datapipeline.expressions import Ref, Value
from sandbox.datapipeline.objects import PipelineObject
from sandbox.datapipeline.scope import NEVER_EVALUATED, DefinitionScope
from sandbox.datapipeline.syntax import Call, Chain, Expression, Literal, Negation, Node, Path, Powers, parse_template

_HAVE_NODE = frozenset({Kind.ACTION, Kind.PRECONDITION})


def expression_errors(definition: Definition, item: PipelineObject) -> Iterator[str]:
    """Yield what is wrong with the expressions in an object's own fields.

    What Default and abstract parents name is looked up in the objects that inherit it, so there only the grammar
    is checked.
    """
    kind = definition.kind_of(item.id)
    inherited = kind in {Kind.DEFAULT, Kind.ABSTRACT, Kind.UNKNOWN}
    fields = item.fields if inherited else definition.effective(item.id).fields
    for field in fields:
        if field.string_value is None or field.key in NEVER_EVALUATED or "#{" not in field.string_value:
            continue
        own = field in item.fields
        try:
            parts = parse_template(field.string_value)
        except ExpressionInvalid as error:
            if own:
                yield f"INVALID_EXPRESSION: field '{field.key}': {error}"
            continue
        if not inherited and (own or kind is Kind.ACTIVITY):
            yield from _unresolved(definition, item.id, kind, field.key, parts)


def _unresolved(
    definition: Definition, object_id: str, kind: Kind, key: str, parts: tuple[str | Expression, ...]
) -> Iterator[str]:
    scope = DefinitionScope(definition, object_id)
    expressions = [part for part in parts if isinstance(part, Expression)]
    for expression, path in ((each, path) for each in expressions for path in paths(each.root)):
        if path.names[0] == "node":
            if kind not in _HAVE_NODE:
                yield f"INVALID_EXPRESSION: field '{key}': 'node' exists in alarms and preconditions only"
        elif missing := _missing(scope, path.names):
            yield f"INVALID_EXPRESSION: field '{key}': {expression.text[:120]} names {missing}"


def _missing(scope: DefinitionScope, names: tuple[str, ...]) -> str | None:
    values = scope.field(None, names[0]) or scope.parameter(names[0])
    for position, name in enumerate(names):
        if name.startswith("@") or name in RUNTIME_SLOTS:
            return None
        if position:
            values = _member(scope, values, name)
        if not values:
            return f"'{'.'.join(names[: position + 1])}', which is neither a field nor a parameter"
    return None


def _member(scope: DefinitionScope, targets: list[Value], name: str) -> list[Value]:
    return [value for target in targets if isinstance(target, Ref) for value in scope.field(target.object_id, name)]


def paths(node: Node) -> Iterator[Path]:
    """Yield every field path in an expression."""
    match node:
        case Path():
            yield node
        case Literal():
            return
        case Call(_, operands) | Powers(operands):
            for operand in operands:
                yield from paths(operand)
        case Negation(operand):
            yield from paths(operand)
        case Chain(first, rest):
            yield from paths(first)
            for _, operand in rest:
                yield from paths(operand)
