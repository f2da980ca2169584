"""Selectors of QueryObjects.

Source: AWS Data Pipeline API Reference, *Operator*: EQ and REF_EQ work on names, parents, status and times; LE, GE and
BETWEEN on times only. All selectors must be fulfilled; a field that is not there fulfils none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.datapipeline.answers import InvalidRequest

MAX_SELECTORS = 10
_TIMES = frozenset({"@scheduledStartTime", "@scheduledEndTime", "@actualStartTime", "@actualEndTime"})
_NAMES = frozenset({"name", "@sphere", "parent", "@componentParent", "@instanceParent", "@status"})
_RANGES: dict[str, tuple[int, Callable[[str, list[str]], bool]]] = {
    "LE": (1, lambda value, bounds: value <= bounds[0]),
    "GE": (1, lambda value, bounds: value >= bounds[0]),
    "BETWEEN": (2, lambda value, bounds: bounds[0] <= value <= bounds[1]),
}


@dataclass(frozen=True, slots=True)
class Selector:
    """One condition on one field."""

    field: str
    operator: str
    values: list[str]

    def accepts(self, described: dict[str, Any]) -> bool:
        """Tell whether an object fulfils the condition."""
        if self.field == "name" and self.operator == "EQ":
            return described["name"] in self.values
        slot = "refValue" if self.operator == "REF_EQ" else "stringValue"
        found = [entry[slot] for entry in described["fields"] if entry["key"] == self.field and slot in entry]
        if self.operator in _RANGES:
            return any(_RANGES[self.operator][1](value, self.values) for value in found)
        return any(value in self.values for value in found)


def read_query(query: dict[str, Any]) -> list[Selector]:
    """Return the selectors of a query.

    Raises:
        InvalidRequest: too many selectors, or an operator that does not fit its field or values.
    """
    selectors = query.get("selectors") or []
    if len(selectors) > MAX_SELECTORS:
        raise InvalidRequest(f"query has {len(selectors)} selectors; at most {MAX_SELECTORS} are allowed")
    return [_read(selector) for selector in selectors]


def _read(raw: dict[str, Any]) -> Selector:
    operator = raw.get("operator") or {}
    name, kind, values = raw.get("fieldName"), operator.get("type"), operator.get("values") or []
    if not name or not kind or not values:
        raise InvalidRequest("A selector needs a fieldName and an operator with type and values")
    if kind in _RANGES:
        if name not in _TIMES:
            raise InvalidRequest(f"{kind} works on {', '.join(sorted(_TIMES))}, not on {name}")
        if len(values) != _RANGES[kind][0]:
            raise InvalidRequest(f"{kind} takes {_RANGES[kind][0]} values, not {len(values)}")
    elif name not in _TIMES | _NAMES:
        raise InvalidRequest(f"{kind} does not work on {name}")
    return Selector(name, kind, values)


def matches(described: dict[str, Any], query: list[Selector]) -> bool:
    """Tell whether an object fulfils every selector."""
    return all(selector.accepts(described) for selector in query)
