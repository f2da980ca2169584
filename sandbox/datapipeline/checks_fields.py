"""Checks of one object's own fields: are they known, is a reference a reference, does a value have its type?

Source: AWS Data Pipeline Developer Guide, *Pipeline object reference*, *Simple data types* and *Limits*. The one error
text that AWS has published is in the API Reference (*ValidatePipelineDefinition*, example 2), two blanks included:
``INVALID_FIELD_VALUE:  'startDateTime' value must be a literal datetime value.``
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import TypeVar

from core.errors import ExpressionInvalid
from core.periods import parse_datetime, parse_period
from sandbox.datapipeline import limits
from sandbox.datapipeline.catalogue import COMMON_FIELDS, TYPES, Kind
from sandbox.datapipeline.definition import Definition
from sandbox.datapipeline.expressions import evaluate
from sandbox.datapipeline.inheritance import DEFAULT_ID
from sandbox.datapipeline.objects import Field, PipelineObject
from sandbox.datapipeline.scope import DefinitionScope
from sandbox.datapipeline.slots import (
    BOOLEANS,
    DATETIMES,
    DOUBLES,
    ENUMERATIONS,
    INTEGERS,
    MOST,
    PERIODS,
    REFERENCES,
    SINGLE,
    TEXTS_TOO,
    UNLIMITED,
)

ONDEMAND_PERIOD = "ONDEMAND_PERIOD"
_ONDEMAND = "ondemand"
#: What errors about a value begin with.
INVALID = "INVALID_FIELD_VALUE: "
Parsed = TypeVar("Parsed", datetime, timedelta)
_USER_FIELD = re.compile(r"\*?(my[A-Z_]|_)")
_ANY_KNOWN = frozenset(name for known in TYPES.values() for name in known.known) | {"resourceRole", "role"}


def is_ondemand(definition: Definition, object_id: str = DEFAULT_ID) -> bool:
    """Tell whether an object, or the whole pipeline, runs once for each activation."""
    if object_id not in definition.objects:
        return False
    return (definition.effective(object_id).string("scheduleType") or "").lower() == _ONDEMAND


def field_errors(definition: Definition, item: PipelineObject) -> Iterator[str]:
    """Yield what is wrong with the fields that an object itself has."""
    yield from _unknown_fields(definition, item)
    for key in item.field_names():
        values = item.values(key)
        if key in SINGLE and len(values) > 1:
            yield f"{INVALID} '{key}' has {len(values)} values, but takes one."
        for value in values:
            yield from _reference_errors(definition, value, definition.type_of(item.id))
            yield from _value_errors(definition, item.id, value)


def _unknown_fields(definition: Definition, item: PipelineObject) -> Iterator[str]:
    type_name = definition.type_of(item.id) or item.id
    for key in _foreign_fields(definition, item):
        if key not in _ANY_KNOWN:
            near = get_close_matches(key, _known_fields(definition, item), 1)
            hint = f"; did you mean '{near[0]}'?" if near else "; the name of a field of your own begins with 'my'"
            yield f"UNKNOWN_FIELD: '{key}' is not a field of {type_name}{hint}"


def field_warnings(definition: Definition, item: PipelineObject) -> Iterator[str]:
    """Yield what has no effect, as AWS's own samples have it: ``maxActiveInstances`` of a schedule."""
    for key in _foreign_fields(definition, item):
        if key in _ANY_KNOWN:
            yield f"'{key}' is not a field of {definition.type_of(item.id)} and has no effect there"
    for key in item.field_names():
        if (definition.type_of(item.id), key) in TEXTS_TOO and item.string(key):
            yield f"'{key}' should be a reference to another object, and what it says cannot be connected to"
    for value in item.values("schedule"):
        if _unused_schedule(definition, value):
            yield f"'schedule' leads to no object, '{value.ref_value}', which does not matter on demand"


def _foreign_fields(definition: Definition, item: PipelineObject) -> list[str]:
    if definition.kind_of(item.id) in {Kind.ABSTRACT, Kind.UNKNOWN}:
        return []
    known = _known_fields(definition, item)
    return [key for key in item.field_names() if not (key in known or key.startswith("@") or _USER_FIELD.match(key))]


def _known_fields(definition: Definition, item: PipelineObject) -> frozenset[str]:
    type_name = definition.type_of(item.id)
    if type_name in TYPES and definition.kind_of(item.id) is not Kind.DEFAULT:
        return TYPES[type_name].known
    return _ANY_KNOWN | COMMON_FIELDS


def _unused_schedule(definition: Definition, value: Field) -> bool:
    return value.key == "schedule" and value.ref_value not in definition.objects and is_ondemand(definition)


def _is_string(type_name: str | None, key: str) -> bool:
    """Tell whether a field of a type takes text and no reference."""
    known = type_name in TYPES and key in TYPES[type_name].known
    return known and key not in REFERENCES and not _USER_FIELD.match(key)


def _reference_errors(definition: Definition, value: Field, type_name: str | None) -> Iterator[str]:
    key, target = value.key, value.ref_value
    if target is None:
        if key in REFERENCES and value.string_value and (type_name, key) not in TEXTS_TOO:
            yield f"{INVALID} '{key}' value must be a reference to another object, not a string."
    elif not target:
        yield f"EMPTY_FIELD: reference '{key}' is empty"
    elif _is_string(type_name, key):
        yield f"{INVALID} '{key}' value must be a string, not a reference to another object."
    elif _unused_schedule(definition, value):
        return
    elif target not in definition.objects:
        near = get_close_matches(target, definition.objects, 1)
        yield f"Object references invalid id: '{target}'" + (f"; did you mean '{near[0]}'?" if near else "")
    elif key in REFERENCES and (kind := definition.kind_of(target)) not in REFERENCES[key] | {Kind.UNKNOWN}:
        wanted = " or ".join(sorted(allowed.value for allowed in REFERENCES[key]))
        yield f"{INVALID} '{key}' must refer to a {wanted}, but '{target}' is a {kind.value}."


def _value_errors(definition: Definition, object_id: str, value: Field) -> Iterator[str]:
    text = value.string_value
    if text is None:
        return
    if not text:
        yield f"EMPTY_FIELD: field '{value.key}' is empty"
        return
    known = text if "#{" not in text else _known_value(definition, object_id, text)
    if value.key in UNLIMITED and definition.kind_of(object_id) in UNLIMITED[value.key]:
        reason = known and _wrong_integer(known, 0, MOST)
    else:
        reason = _wrong_value(value.key, known)
    if reason:
        yield f"{INVALID} '{value.key}' {reason}"


def _known_value(definition: Definition, object_id: str, text: str) -> str | None:
    """Return what an expression gives before the pipeline runs; ``None`` if it needs runtime fields, or is left out."""
    scope = DefinitionScope(definition, object_id)
    if scope.is_left_out(text):
        return None
    try:
        result = evaluate(text, scope)
    except ExpressionInvalid:
        return None  # reported as an expression, or known only at run time
    return result if isinstance(result, str) else None


def _wrong_value(key: str, text: str | None) -> str | None:
    if text is None:
        return None
    if key in ENUMERATIONS:
        return _wrong_word(text, ENUMERATIONS[key])
    if key in BOOLEANS:
        return _wrong_word(text, ("true", "false"))
    if key in INTEGERS:
        return _wrong_integer(text, *INTEGERS[key])
    if key in DOUBLES:
        return _wrong_double(text, *DOUBLES[key])
    if key in PERIODS:
        return _wrong_period(key, text)
    if key in DATETIMES and parsed(parse_datetime, text) is None:
        return "value must be a literal datetime value."
    return None


def _wrong_word(text: str, allowed: tuple[str, ...]) -> str | None:
    known = text.lower() in (name.lower() for name in allowed)
    return None if known else f"value must be one of {', '.join(allowed)}."


def _wrong_double(text: str, lowest: float, highest: float) -> str | None:
    matched = re.fullmatch(r"\d{0,9}\.?\d{1,9}", text.strip(), re.ASCII)
    if not matched or not lowest <= float(text) <= highest:
        return f"value must be a number from {lowest} to {highest}."
    return None


def _wrong_integer(text: str, lowest: int, highest: int) -> str | None:
    number = int(text) if re.fullmatch(r"-?\d{1,10}", text.strip(), re.ASCII) else None
    if number is None or not lowest <= number <= highest:
        return f"value must be a whole number from {lowest} to {highest}."
    return None


def _wrong_period(key: str, text: str) -> str | None:
    if key == "period" and text == ONDEMAND_PERIOD:
        return None
    length = parsed(parse_period, text)
    if length is None:
        return "value must be a period such as '15 minutes'."
    if key == "period" and not limits.MIN_PERIOD <= length <= limits.MAX_PERIOD:
        return "value must be at least 15 minutes and at most 3 years."
    return None


def parsed(read: Callable[[str], Parsed], text: str) -> Parsed | None:
    """Return what ``read`` makes of a text; ``None`` if it raises ValueError."""
    try:
        return read(text)
    except (ValueError, OverflowError):
        return None
