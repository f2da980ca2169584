"""Checks of parameters and their values.

Source: AWS Data Pipeline Developer Guide, *Creating a pipeline using parametrized templates*.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches

from sandbox.datapipeline.checks_fields import INVALID
from sandbox.datapipeline.definition import Definition
from sandbox.datapipeline.parameters import SECRET_MARK, Parameter

TYPES = ("String", "Integer", "Double", "AWS::S3::ObjectKey")
ATTRIBUTES = frozenset(
    {"type", "description", "optional", "allowedValues", "default", "isArray", "watermark", "helpText", "helpLink"}
)
_ID = re.compile(r"\*?my.")
_FORMS = {"integer": (r"[+-]?\d{1,18}", "a whole number"), "double": (r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", "a number")}


def parameter_errors(parameter: Parameter) -> Iterator[str]:
    """Yield what is wrong with a parameter; the texts hold no value, for it may be a secret."""
    if not _ID.match(parameter.id):
        yield "id of a parameter must begin with 'my', or with '*my' if its value is a secret"
    if parameter.type.lower() not in (name.lower() for name in TYPES):
        yield f"{INVALID} 'type' value must be one of {', '.join(TYPES)}."
    yield from _value_errors(parameter)


def parameter_warnings(definition: Definition, parameter: Parameter) -> Iterator[str]:
    """Yield what may be a mistake. AWS's own samples have attributes such as ``myComment``: no attribute is refused."""
    if not parameter.declared:
        yield "a value is given for a parameter that the definition does not declare"
    if not _is_used(definition, parameter.id):
        yield "no object of the definition uses the parameter"
    for key in dict.fromkeys(key for key, _ in parameter.attributes):
        if key not in ATTRIBUTES and not key.startswith("my"):
            near = get_close_matches(key, ATTRIBUTES, 1)
            yield f"'{key}' is not an attribute of parameters" + (f"; did you mean '{near[0]}'?" if near else "")


def _is_used(definition: Definition, name: str) -> bool:
    word = re.compile(rf"(?<!\w)\*?{re.escape(name.removeprefix(SECRET_MARK))}(?!\w)")
    values = (field.string_value or "" for item in definition.objects.values() for field in item.fields)
    defaults = (value for other in definition.parameters.values() for value in other.values)
    return any("#{" in text and word.search(text) for text in (*values, *defaults))


def _value_errors(parameter: Parameter) -> Iterator[str]:
    if not parameter.values and not parameter.optional:
        yield "a value is required: the parameter is not optional and has no default"
    if len(parameter.values) > 1 and not parameter.is_array:
        yield f"{len(parameter.values)} values are given, but 'isArray' is not true"
    pattern, form = _FORMS.get(parameter.type.lower(), (None, ""))
    if pattern and not all(re.fullmatch(pattern, value, re.ASCII) or "#{" in value for value in parameter.values):
        yield f"the value is not {form}, as the type {parameter.type} asks"
    if parameter.allowed and not set(parameter.values) <= set(parameter.allowed):
        yield f"the value is not one of allowedValues: {', '.join(parameter.allowed)}"
