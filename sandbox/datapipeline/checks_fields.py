"""Checks of one object's own fields: are they known, is a reference a reference, does a value have its type?

Source: AWS Data Pipeline Developer Guide, *Pipeline object reference* (the "slot type" of each field), *Simple data
types* and *Limits*.
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
from sandbox.datapipeline.objects import Field, PipelineObject
from sandbox.datapipeline.scope import DefinitionScope

ACTIONS = frozenset({Kind.ACTION})
RUNNABLE = frozenset({Kind.ACTIVITY, Kind.DATA_NODE, Kind.RESOURCE})
#: Fields whose value is a reference, with the kinds of object that it may lead to.
REFERENCES: dict[str, frozenset[Kind]] = {
    "schedule": frozenset({Kind.SCHEDULE}),
    "runsOn": frozenset({Kind.RESOURCE}),
    "input": frozenset({Kind.DATA_NODE}),
    "output": frozenset({Kind.DATA_NODE}),
    "dependsOn": RUNNABLE,
    "onFail": ACTIONS,
    "onSuccess": ACTIONS,
    "onLateAction": ACTIONS,
    "precondition": frozenset({Kind.PRECONDITION}),
    "database": frozenset({Kind.DATABASE}),
    "dataFormat": frozenset({Kind.DATA_FORMAT}),
    "parent": frozenset(Kind),
}
#: Fields of which an object has one value at most.
SINGLE = frozenset(
    {"type", "parent", "schedule", "command", "scriptUri", "script", "workerGroup", "runsOn", "database", "stage"}
)
ENUMERATIONS: dict[str, tuple[str, ...]] = {
    "scheduleType": ("cron", "ondemand", "timeseries"),
    "failureAndRerunMode": ("cascade", "none"),
    "insertMode": ("KEEP_EXISTING", "OVERWRITE_EXISTING", "TRUNCATE", "APPEND"),
    "compression": ("none", "gzip"),
    "s3EncryptionType": ("SERVER_SIDE_ENCRYPTION", "NONE"),
    "startAt": ("FIRST_ACTIVATION_DATE_TIME", "ONDEMAND_ACTIVATION_TIME"),
    "stage": ("true", "false"),
    "actionOnResourceFailure": ("retryAll", "retryNone"),
    "actionOnTaskFailure": ("continue", "terminate"),
}
INTEGERS: dict[str, tuple[int, int]] = {
    "maximumRetries": (0, limits.MAX_RETRIES),
    "maxActiveInstances": (1, limits.MAX_ACTIVE_INSTANCES),
    "occurrences": (1, 2**31 - 1),
}
PERIODS = frozenset(
    {
        *("period", "attemptTimeout", "retryDelay", "lateAfterTimeout", "reportProgressTimeout"),
        *("preconditionTimeout", "terminateAfter", "initTimeout"),
    }
)
DATETIMES = frozenset({"startDateTime", "endDateTime"})
ONDEMAND_PERIOD = "ONDEMAND_PERIOD"
Parsed = TypeVar("Parsed", datetime, timedelta)
_USER_FIELD = re.compile(r"\*?(my[A-Z_]|_)")
_ANY_KNOWN = frozenset(name for known in TYPES.values() for name in known.known) | {"resourceRole", "role"}


def field_errors(definition: Definition, item: PipelineObject) -> Iterator[str]:
    """Yield what is wrong with the fields that an object itself has."""
    yield from _unknown_fields(definition, item)
    for key in item.field_names():
        values = item.values(key)
        if key in SINGLE and len(values) > 1:
            yield f"INVALID_FIELD_VALUE: '{key}' has {len(values)} values, but takes one"
        for value in values:
            yield from _reference_errors(definition, value)
            yield from _value_errors(definition, item.id, value)


def _unknown_fields(definition: Definition, item: PipelineObject) -> Iterator[str]:
    kind, type_name = definition.kind_of(item.id), definition.type_of(item.id)
    if kind is Kind.ABSTRACT or kind is Kind.UNKNOWN:
        return
    known = TYPES[type_name].known if type_name in TYPES and kind is not Kind.DEFAULT else _ANY_KNOWN | COMMON_FIELDS
    for key in item.field_names():
        if key in known or key.startswith("@") or _USER_FIELD.match(key):
            continue
        near = get_close_matches(key, known, 1)
        hint = f"; did you mean '{near[0]}'?" if near else "; the name of a field of your own begins with 'my'"
        yield f"UNKNOWN_FIELD: '{key}' is not a field of {type_name or item.id}{hint}"


def _reference_errors(definition: Definition, value: Field) -> Iterator[str]:
    key, target = value.key, value.ref_value
    if target is None:
        if key in REFERENCES and value.string_value:
            yield f"INVALID_FIELD_VALUE: '{key}' must be a reference to another object, not a string"
    elif not target:
        yield f"EMPTY_FIELD: reference '{key}' is empty"
    elif target not in definition.objects:
        near = get_close_matches(target, definition.objects, 1)
        yield f"Object references invalid id: '{target}'" + (f"; did you mean '{near[0]}'?" if near else "")
    elif key in REFERENCES and (kind := definition.kind_of(target)) not in REFERENCES[key] | {Kind.UNKNOWN}:
        wanted = " or ".join(sorted(allowed.value for allowed in REFERENCES[key]))
        yield f"INVALID_FIELD_VALUE: '{key}' must refer to a {wanted}, but '{target}' is a {kind.value}"


def _value_errors(definition: Definition, object_id: str, value: Field) -> Iterator[str]:
    text = value.string_value
    if text is None:
        return
    if not text:
        yield f"EMPTY_FIELD: field '{value.key}' is empty"
        return
    reason = _wrong_value(value.key, text if "#{" not in text else _known_value(definition, object_id, text))
    if reason:
        yield f"INVALID_FIELD_VALUE: '{value.key}' {reason}"


def _known_value(definition: Definition, object_id: str, text: str) -> str | None:
    """Return what an expression gives before the pipeline runs; ``None`` if it needs runtime fields."""
    try:
        result = evaluate(text, DefinitionScope(definition, object_id))
    except ExpressionInvalid:
        return None  # reported as an expression, or known only at run time
    return result if isinstance(result, str) else None


def _wrong_value(key: str, text: str | None) -> str | None:
    if text is None:
        return None
    if key in ENUMERATIONS:
        allowed = ENUMERATIONS[key]
        known = text.lower() in (name.lower() for name in allowed)
        return None if known else f"value must be one of {', '.join(allowed)}."
    if key in INTEGERS:
        return _wrong_integer(text, *INTEGERS[key])
    if key in PERIODS:
        return _wrong_period(key, text)
    if key in DATETIMES and parsed(parse_datetime, text) is None:
        return "value must be a literal datetime value."
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
