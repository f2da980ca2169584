"""The manifest of an extract: a Redshift manifest in the form of UNLOAD's ``MANIFEST VERBOSE``.

COPY reads ``entries`` (``url``, ``mandatory``, ``meta.content_length``); ``meta.record_count`` lets a load compare
what arrived with what was written; ``schema`` names the columns in the files' order. ``source`` is ours. Source:
Redshift Developer Guide, *UNLOAD* and *Example: COPY using a manifest*.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

NAME = "manifest"
_AUTHOR = "ductrunner"


@dataclass(frozen=True)
class Part:
    """One finished file: its name, its bytes as stored, its rows."""

    name: str
    bytes: int
    rows: int


def render(
    parts: Sequence[Part],
    urls: Sequence[str],
    elements: Sequence[Mapping[str, Any]],
    source: Mapping[str, Any],
) -> bytes:
    """Return the manifest of these parts; ``urls`` are in the order of ``parts``."""
    document = {
        "entries": [
            {"url": url, "mandatory": True, "meta": {"content_length": part.bytes, "record_count": part.rows}}
            for part, url in zip(parts, urls, strict=True)
        ],
        "schema": {"elements": list(elements)},
        "meta": {
            "content_length": sum(part.bytes for part in parts),
            "record_count": sum(part.rows for part in parts),
        },
        "author": {"name": _AUTHOR, "version": version("ductrunner")},
        "source": dict(source),
    }
    return json.dumps(document, indent=1, ensure_ascii=False).encode("utf-8")


def urls_of(text: bytes | None) -> list[str]:
    """Return the urls of a manifest that we wrote; of anything else none, for it is not ours to clean up."""
    try:
        document = json.loads(text or b"{}")
        if document["author"]["name"] != _AUTHOR:
            return []
        return [str(entry["url"]) for entry in document["entries"]]
    except (ValueError, KeyError, TypeError):
        return []
