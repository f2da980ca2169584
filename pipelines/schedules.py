"""Which activities of a definition have a schedule, and which of them one without an end?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.documents import Document

_DEFAULT = "Default"
_ONDEMAND = "ondemand"
_BOUNDS = frozenset({"occurrences", "endDateTime"})
Fields = Mapping[str, str]


def scheduled(document: Document) -> frozenset[str]:
    """Return the ids of the activities that follow a schedule; none where the pipeline runs on demand."""
    items = _items(document)
    if items.get(_DEFAULT, {}).get("scheduleType", "").lower() == _ONDEMAND:
        return frozenset()
    return frozenset(
        name
        for name in items
        if (_effective(items, name, "type") or "").endswith("Activity") and _effective(items, name, "schedule") in items
    )


def endless(document: Document) -> frozenset[str]:
    """Return the ids of the activities whose schedule has neither ``occurrences`` nor ``endDateTime``."""
    items = _items(document)
    return frozenset(
        name for name in scheduled(document) if not _BOUNDS & items[_effective(items, name, "schedule") or ""].keys()
    )


def _items(document: Document) -> dict[str, Fields]:
    return {item["id"]: _fields(item) for item in document.objects}


def _effective(items: Mapping[str, Fields], name: str, key: str) -> str | None:
    """Return a field of an object, of its parents, or of ``Default`` (which gives nobody its type)."""
    for ancestor in _lineage(items, name):
        if key in items[ancestor] and not (key == "type" and ancestor == _DEFAULT):
            return items[ancestor][key]
    return None


def _lineage(items: Mapping[str, Fields], name: str) -> Iterator[str]:
    seen: set[str] = set()
    while name in items and name not in seen:
        seen.add(name)
        yield name
        name = items[name].get("parent", "")
    if _DEFAULT in items and _DEFAULT not in seen:
        yield _DEFAULT


def _fields(item: Mapping[str, Any]) -> dict[str, str]:
    return {field["key"]: field.get("stringValue") or field.get("refValue") or "" for field in item["fields"]}
