"""The manifest of an extract: a Redshift manifest in the form of UNLOAD's ``MANIFEST VERBOSE``.

COPY reads ``entries`` (``url``, ``mandatory``, ``meta.content_length``); ``meta.record_count`` lets a load compare
what arrived with what was written; ``schema`` names the columns in the files' order. ``source`` is ours. Source:
Redshift Developer Guide, *UNLOAD* and *Example: COPY using a manifest*.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
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


@dataclass(frozen=True)
class Entry:
    """One file as a manifest names it; without rows where nobody has counted them."""

    url: str
    bytes: int
    rows: int | None = None
    #: The version of an object that is not ours; stands apart, because COPY does not know it.
    etag: str | None = None

    @property
    def document(self) -> dict[str, Any]:
        """The entry as it stands in the manifest."""
        counted = {} if self.rows is None else {"record_count": self.rows}
        return {"url": self.url, "mandatory": True, "meta": {"content_length": self.bytes, **counted}}


def render(
    parts: Sequence[Part],
    urls: Sequence[str],
    elements: Sequence[Mapping[str, Any]],
    source: Mapping[str, Any],
) -> bytes:
    """Return the manifest of these parts; ``urls`` are in the order of ``parts``."""
    entries = [Entry(url, part.bytes, part.rows) for part, url in zip(parts, urls, strict=True)]
    return b"".join(pieces(entries, elements, source))


def pieces(
    entries: Iterable[Entry], elements: Sequence[Mapping[str, Any]] | None, source: Mapping[str, Any]
) -> Iterator[bytes]:
    """Yield the manifest of these entries bit by bit, each entry on a line of its own: there may be very many.

    ``elements`` are the columns, where they are known; the rows are counted only when every entry says its own.
    """
    size, rows, etags = 0, 0, list[str]()
    counted, separator = True, b""
    yield b'{"entries": ['
    for entry in entries:
        yield separator + b"\n" + _json(entry.document)
        size, rows = size + entry.bytes, rows + (entry.rows or 0)
        counted, separator = counted and entry.rows is not None, b","
        etags += [entry.etag] if entry.etag else []
    schema = {} if elements is None else {"schema": {"elements": list(elements)}}
    rest = {
        **schema,
        "meta": {"content_length": size, **({"record_count": rows} if counted else {})},
        "author": {"name": _AUTHOR, "version": version("ductrunner")},
        "source": {**source, **({"rows": rows} if counted else {}), **({"etags": etags} if etags else {})},
    }
    yield b"\n]," + _json(rest).removeprefix(b"{") + b"\n"


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode("utf-8")


def urls_of(text: bytes | None) -> list[str]:
    """Return the urls of a manifest that we wrote; of anything else none, for it is not ours to clean up."""
    try:
        document = json.loads(text or b"{}")
        if document["author"]["name"] != _AUTHOR:
            return []
        return [str(entry["url"]) for entry in document["entries"]]
    except (ValueError, KeyError, TypeError):
        return []


def entries_of(document: Mapping[str, Any]) -> list[Entry]:
    """Return the entries of a manifest that we wrote."""
    return [
        Entry(entry["url"], entry["meta"]["content_length"], entry["meta"].get("record_count"))
        for entry in document["entries"]
    ]
