"""Does a definition ever come to an end?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.documents import Document

_ONDEMAND = "ondemand"


def endless_schedule(document: Document) -> str | None:
    """Return the first schedule in use that has neither ``occurrences`` nor ``endDateTime``, if there is one."""
    fields = {item["id"]: _fields(item) for item in document.objects}
    if fields.get("Default", {}).get("scheduleType", "").lower() == _ONDEMAND:
        return None
    used = {entry["schedule"] for entry in fields.values() if entry.get("schedule")}
    endless = (name for name in fields if name in used and not {"occurrences", "endDateTime"} & fields[name].keys())
    return next(endless, None)


def _fields(item: Mapping[str, Any]) -> dict[str, str]:
    return {field["key"]: field.get("stringValue") or field.get("refValue") or "" for field in item["fields"]}
