"""Does a definition ever come to an end?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.errors import PipelineInvalid
from pipelines.documents import Document

_ONDEMAND = "ondemand"


def refuse_endless(document: Document, occurrences: int | None) -> None:
    """Refuse to wait for a schedule that nothing ends, unless a number of occurrences is asked for.

    Raises:
        PipelineInvalid: a schedule in use has neither ``occurrences`` nor ``endDateTime``.
    """
    endless = _endless(document)
    if endless and occurrences is None:
        raise PipelineInvalid(
            f"schedule {endless[0]} goes on without an end; say --occurrences N to wait for its first N runs, "
            "or give it occurrences or endDateTime"
        )


def _endless(document: Document) -> list[str]:
    fields = {item["id"]: _fields(item) for item in document.objects}
    if fields.get("Default", {}).get("scheduleType", "").lower() == _ONDEMAND:
        return []
    used = {entry["schedule"] for entry in fields.values() if entry.get("schedule")}
    return [name for name in fields if name in used and not {"occurrences", "endDateTime"} & fields[name].keys()]


def _fields(item: Mapping[str, Any]) -> dict[str, str]:
    return {field["key"]: field.get("stringValue") or field.get("refValue") or "" for field in item["fields"]}
