"""From a step's parameter model to the plain description that ``catalog.json`` and the reference page hold."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from steps_impl.catalogue import Entry, Flag
from steps_impl.registry import Parameters, Step

_TYPES = {"string": "text", "integer": "integer", "number": "number", "boolean": "yes/no", "object": "JSON object"}


def describe_step(step: Step) -> dict[str, Any]:
    """Return the catalogue entry of a step.

    Raises:
        TypeError: a parameter has a type that no flag can carry, or no description.
    """
    schema = step.parameters.model_json_schema()
    required = set(schema.get("required", ()))
    fields = schema.get("properties", {})
    flags = [_flag(name, fields[name], schema, name in required) for name in _in_order(step.parameters, fields)]
    flags.sort(key=lambda flag: not flag.required)
    return {"summary": step.summary, "flags": [flag._asdict() for flag in flags]}


def _in_order(model: type[Parameters], fields: Mapping[str, Any]) -> list[str]:
    """Return what the step itself has before what it shares with others: that is what a reader looks for."""
    named = {field.alias or name: name for name, field in model.model_fields.items()}
    kinds = reversed(list(enumerate(model.__mro__)))
    depth = {name: n for n, kind in kinds for name in inspect.get_annotations(kind)}
    return sorted(fields, key=lambda shown: depth.get(named[shown], 0))


def entry_of(step: Step) -> Entry:
    """Return what the catalogue would hold of a step. Raises as ``describe_step``."""
    described = describe_step(step)
    return Entry(step.name, described["summary"], tuple(Flag(**flag) for flag in described["flags"]))


def _flag(name: str, field: Mapping[str, Any], schema: Mapping[str, Any], required: bool) -> Flag:
    core = _without_null(field, schema)
    if not field.get("description"):
        raise TypeError(f"parameter {name!r} has no description; give its Field one, with its unit")
    return Flag(
        name=name,
        kind=_kind(name, core),
        type=_type(name, core, schema),
        required=required,
        default=field.get("default"),
        unit=field.get("unit", ""),
        help=field["description"],
    )


def _without_null(field: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow references and drop the ``null`` of an optional field."""
    choices = [choice for choice in field.get("anyOf", [field]) if choice.get("type") != "null"]
    core: Mapping[str, Any] = choices[0]
    if "$ref" in core:
        core = schema["$defs"][core["$ref"].rpartition("/")[2]]
    return {"type": "object"} if "oneOf" in core else core  # one of several kinds of objects


def _kind(name: str, core: Mapping[str, Any]) -> str:
    if core.get("format") == "password":
        return "secret"
    kinds = {"boolean": "switch", "array": "list", "object": "object"}
    kind = kinds.get(core.get("type", ""), "value")
    if kind == "value" and "type" not in core and "enum" not in core and "const" not in core:
        raise TypeError(f"parameter {name!r} has a type that a flag cannot carry; use text, numbers, lists or choices")
    return kind


def _type(name: str, core: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    if "enum" in core:
        return "|".join(map(str, core["enum"]))
    if "const" in core:
        return str(core["const"])
    if core.get("type") == "array":
        return f"{_type(name, _without_null(core['items'], schema), schema)} …"
    text = "path" if core.get("format") == "path" else _TYPES[core["type"]]
    return text + _bounds(core)


def _bounds(core: Mapping[str, Any]) -> str:
    low = core.get("minimum", core.get("exclusiveMinimum"))
    high = core.get("maximum", core.get("exclusiveMaximum"))
    if low is None and high is None:
        return ""
    return f" {low if low is not None else ''}..{high if high is not None else ''}"
