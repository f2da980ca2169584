"""What is loaded: exactly the files of a manifest.

Its form: Developer Guide, "Using a manifest to specify data files"; with ``meta`` and ``schema`` as UNLOAD's
``MANIFEST VERBOSE`` writes them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from core.errors import DefinitionError, SchemaMismatch, UnsupportedValue
from steps_impl.tables.types import ColumnType, column_type


class _Meta(BaseModel):
    content_length: int | None = None
    record_count: int | None = None


class _Entry(BaseModel):
    url: str
    mandatory: bool = False
    meta: _Meta = _Meta()


class _Element(BaseModel):
    name: str
    type: Any = None

    @property
    def scale(self) -> int | None:
        """Digits behind the decimal point, where the writer says so."""
        return self._number("scale")

    @property
    def column_type(self) -> ColumnType | None:
        """The type of the warehouse that holds every value, where the writer says so in words that it knows."""
        base = self.type.get("base") if isinstance(self.type, dict) else None
        sizes = [self._number("max_length")] if self._number("precision") is None else []
        sizes += [self._number("precision"), self._number("scale")] if base == "numeric" else []
        try:
            return column_type(str(base), tuple(size for size in sizes if size is not None)) if base else None
        except DefinitionError:
            return None

    def _number(self, key: str) -> int | None:
        value = self.type.get(key) if isinstance(self.type, dict) else None
        return value if isinstance(value, int) else None


class _Schema(BaseModel):
    elements: list[_Element] = []


class _Source(BaseModel):
    rows: int | None = None
    format: str | None = None


class _Manifest(BaseModel):
    """The keys that matter here; others are the business of whoever wrote it."""

    entries: list[_Entry]
    schema_: _Schema | None = Field(default=None, alias="schema")
    source: _Source = _Source()


@dataclass(frozen=True)
class LoadFile:
    """One file: its address, and bytes and rows where they are known."""

    uri: str
    bytes: int | None = None
    rows: int | None = None


@dataclass(frozen=True)
class LoadInput:
    """The files of one load and what is known about them."""

    manifest: str
    files: tuple[LoadFile, ...]
    #: The columns that the files hold, in order, as their writer spells them; ``None``: nobody said.
    names: tuple[str, ...] | None = None
    #: Rows that the extract read from its source.
    source_rows: int | None = None
    #: ``tsv``, ``parquet`` … as the extract says; ``None``: nobody said.
    format: str | None = None
    #: Columns that hold decimals, with their digits behind the point, as far as the manifest says.
    scales: tuple[tuple[str, int], ...] = ()
    #: Columns and their types in the warehouse, as far as the manifest says.
    types: tuple[tuple[str, ColumnType], ...] = ()
    #: Reads the first bytes of a file; ``None``: the files are not at hand.
    beginning: Callable[[str], bytes] | None = field(default=None, compare=False, repr=False)

    @property
    def columns(self) -> tuple[str, ...] | None:
        """The names as the warehouse spells them, in small letters."""
        return None if self.names is None else tuple(name.lower() for name in self.names)

    @property
    def rows(self) -> int | None:
        """Rows in all files; ``None`` when one of them does not say."""
        return _sum([file.rows for file in self.files])

    @property
    def bytes(self) -> int | None:
        """Bytes of all files; ``None`` when one of them does not say."""
        return _sum([file.bytes for file in self.files])


def manifest_document(files: Sequence[LoadFile]) -> bytes:
    """Return a manifest in which every file is mandatory."""
    entries = []
    for file in files:
        meta = {} if file.bytes is None else {"meta": {"content_length": file.bytes}}
        entries.append({"url": file.uri, "mandatory": True, **meta})
    return json.dumps({"entries": entries}).encode()


def read_manifest(uri: str, text: bytes, address: Callable[[str], str]) -> LoadInput:
    """Return what a manifest lists; ``address`` makes the whole address of a file from what stands there.

    Raises:
        UnsupportedValue: it is none, names no file, or names one twice.
    """
    try:
        manifest = _Manifest.model_validate(json.loads(text))
    except (ValueError, ValidationError):
        raise UnsupportedValue(f"{uri} is not a manifest of Redshift: it needs entries, each with a url") from None
    files = tuple(LoadFile(address(e.url), e.meta.content_length, e.meta.record_count) for e in manifest.entries)
    if not files:
        raise UnsupportedValue(f"{uri} names no file; COPY needs at least one (an empty one will do)")
    if len({file.uri for file in files}) < len(files):
        raise UnsupportedValue(f"{uri} names a file twice; its rows would be loaded twice")
    elements = manifest.schema_.elements if manifest.schema_ else []
    names = tuple(element.name for element in elements) if manifest.schema_ else None
    scales = tuple((element.name.lower(), element.scale) for element in elements if element.scale is not None)
    types = tuple((element.name.lower(), kind) for element in elements if (kind := element.column_type) is not None)
    strict = all(entry.mandatory and "://" in entry.url for entry in manifest.entries)
    return LoadInput(uri if strict else "", files, names, manifest.source.rows, manifest.source.format, scales, types)


def merge_inputs(found: Sequence[LoadInput], uri: str) -> LoadInput:
    """Return all inputs as one, whose manifest is ``uri``.

    Raises:
        SchemaMismatch: they hold different columns.
    """
    contents = {(part.columns, part.format) for part in found}
    if len(contents) > 1:
        raise SchemaMismatch("the inputs hold different columns or formats, or only some say which; load them apart")
    told = found[0]
    files = tuple({file.uri: file for part in found for file in part.files}.values())
    scales = tuple(scale for part in found for scale in part.scales)
    types = tuple(dict(kind for part in found for kind in part.types).items())
    return LoadInput(uri, files, told.names, _sum([part.source_rows for part in found]), told.format, scales, types)


def _sum(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None
