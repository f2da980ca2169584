"""What MANIFEST and MANIFEST VERBOSE write (Developer Guide, UNLOAD)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from sandbox.redshift.unload.files import Written

_TYPE: Final = re.compile(r"([a-z ]+?)(?:\((\d+)(?:,(\d+))?\))?( with(?:out)? time zone)?")

#: What stands for a type of Redshift in Postgres.
_OWN: Final = {"jsonb": "super"}


def manifest(files: Sequence[Written], columns: Sequence[tuple[str, str]] | None) -> dict[str, Any]:
    """Return the manifest of the files; with names and types of the columns the verbose one."""
    if columns is None:
        return {"entries": [{"url": str(file.location)} for file in files]}
    return {
        "entries": [
            {"url": str(file.location), "meta": {"content_length": file.size, "record_count": file.rows}}
            for file in files
        ],
        "schema": {"elements": [{"name": name, "type": _described(kind)} for name, kind in columns]},
        "meta": {"content_length": sum(file.size for file in files), "record_count": sum(file.rows for file in files)},
        "author": {"name": "Amazon Redshift", "version": "1.0.0"},
    }


def _described(kind: str) -> dict[str, Any]:
    match = _TYPE.fullmatch(kind)
    if match is None or match[2] is None:
        return {"base": _OWN.get(kind, kind)}
    base, first = match[1] + (match[4] or ""), int(match[2])
    if match[3] is not None:
        return {"base": base, "precision": first, "scale": int(match[3])}
    return {"base": base, "length": first}
