"""What an UNLOAD has written: its own manifest, held against the warehouse's count and the files that are there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ValidationError

from core.errors import StoreError
from steps_impl.extract.manifest import Entry
from stores.s3 import S3Store

#: Bytes of the largest manifest of UNLOAD that is read: some 300,000 files.
_LIMIT = 64 << 20


class _Meta(BaseModel):
    content_length: int
    record_count: int


class _File(BaseModel):
    url: str
    meta: _Meta


class _Schema(BaseModel):
    elements: list[dict[str, Any]]


class _Verbose(BaseModel):
    """The manifest of ``MANIFEST VERBOSE``, as far as it matters here."""

    entries: list[_File] = []
    schema_: _Schema | None = None


@dataclass(frozen=True)
class Unloaded:
    """The files of one UNLOAD and the columns in them."""

    entries: Sequence[Entry]
    elements: Sequence[Mapping[str, Any]] | None

    @property
    def rows(self) -> int:
        """Rows in all files."""
        return _rows(self.entries)

    @property
    def bytes(self) -> int:
        """Bytes of all files."""
        return sum(entry.bytes for entry in self.entries)


def read_unloaded(store: S3Store, prefix: str, counted: int, *, header: bool) -> Unloaded:
    """Return what the UNLOAD to ``prefix`` wrote; its manifest is removed, for ours takes its place.

    Args:
        store: S3.
        prefix: what the files' names begin with.
        counted: rows that the warehouse says it has unloaded (``pg_last_unload_count``).
        header: the files begin with a line of names.

    Raises:
        StoreError: the manifest, the count and the files in S3 do not agree.
    """
    uri = f"{prefix}manifest"
    found = _parsed(store, uri)
    raw = [Entry(file.url, file.meta.content_length, file.meta.record_count) for file in found.entries]
    entries = [replace(entry, rows=max(0, (entry.rows or 0) - 1)) for entry in raw] if header else raw
    if _rows(entries) != counted:  # AWS does not say whether the line of names counts
        entries = raw
    if _rows(entries) != counted:
        raise StoreError(f"the manifest {uri} counts {_rows(entries)} rows, the warehouse {counted}; run it again")
    there = {item.uri: item.size for item in store.list(prefix) if item.uri != uri}
    if there != {entry.url: entry.bytes for entry in entries}:
        raise StoreError(f"the files below {prefix} are not those of their manifest; run the step again")
    store.delete([uri])
    return Unloaded(entries, found.schema_.elements if found.schema_ else None)


def _rows(entries: Sequence[Entry]) -> int:
    return sum(entry.rows or 0 for entry in entries)


def _parsed(store: S3Store, uri: str) -> _Verbose:
    try:
        document = json.loads(store.get_bytes(uri, _LIMIT))
        return _Verbose(entries=document.get("entries", []), schema_=document.get("schema"))
    except (ValueError, AttributeError, ValidationError):
        raise StoreError(f"{uri} is not what UNLOAD writes as MANIFEST VERBOSE; run the step again") from None
