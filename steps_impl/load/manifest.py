"""What is loaded: exactly the files of a manifest.

COPY takes a path as a prefix: ``…/users`` also loads ``…/users_old`` and whatever a failed attempt left there. Every
load therefore goes through a manifest: the one that an extract wrote, or one that is made here from a listing.
Its form: Developer Guide, "Using a manifest to specify data files"; with ``meta`` and ``schema`` as UNLOAD's
``MANIFEST VERBOSE`` writes them.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from core.errors import DefinitionError, NotFound, SchemaMismatch, UnsupportedValue
from steps_impl.load.beginnings import LONGEST
from steps_impl.tables.types import ColumnType, column_type
from stores.s3 import S3Store
from stores.s3.location import S3Location, parse_uri

#: Bytes of the largest manifest that is read.
_LIMIT = 64 << 20
#: Objects of a listing that hold no rows: Hadoop's marker for a finished job.
_MARKERS = frozenset({"_SUCCESS"})


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
    #: The columns that the files hold, in order; ``None``: nobody said.
    columns: tuple[str, ...] | None = None
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
    def rows(self) -> int | None:
        """Rows in all files; ``None`` when one of them does not say."""
        return _sum([file.rows for file in self.files])

    @property
    def bytes(self) -> int | None:
        """Bytes of all files; ``None`` when one of them does not say."""
        return _sum([file.bytes for file in self.files])


@contextmanager
def open_input(store: S3Store, addresses: Sequence[str], workspace: S3Location | None) -> Iterator[LoadInput]:
    """Find the files behind ``addresses`` and hand out one manifest that names all of them.

    An address is a manifest (its last part is ``manifest`` or ends with ``.manifest``), a directory that an extract
    wrote its ``manifest`` into, a single file, or a directory of files. A manifest that is made here lies under
    ``workspace`` (default: ``ductrunner/manifests/`` in the bucket of the first address) and is deleted at the end.

    Raises:
        NotFound: nothing is there.
        SchemaMismatch: the addresses hold different columns.
    """
    found = [find_input(store, address) for address in addresses]
    if len(found) == 1 and found[0].manifest:
        yield replace(found[0], beginning=lambda uri: _beginning(store, uri))
        return
    place = workspace or S3Location(parse_uri(addresses[0]).bucket, "ductrunner/manifests/")
    uri = str(place.child(f"{uuid.uuid4().hex}.manifest"))
    merged = merge_inputs(found, uri)
    store.put_bytes(uri, manifest_document(merged.files), content_type="application/json")
    try:
        yield replace(merged, beginning=lambda uri: _beginning(store, uri))
    finally:
        store.delete([uri])


def _beginning(store: S3Store, uri: str) -> bytes:
    with store.open_reader(uri) as file:
        return file.read(LONGEST)


def manifest_document(files: Sequence[LoadFile]) -> bytes:
    """Return a manifest in which every file is mandatory."""
    entries = []
    for file in files:
        meta = {} if file.bytes is None else {"meta": {"content_length": file.bytes}}
        entries.append({"url": file.uri, "mandatory": True, **meta})
    return json.dumps({"entries": entries}).encode()


def find_input(store: S3Store, address: str) -> LoadInput:
    """Return the files behind one address in S3. Raises as ``open_input`` does."""
    location = parse_uri(address)
    if location.name == "manifest" or location.name.endswith(".manifest"):
        return _read(store, location)
    if location.name and store.exists(str(location)):
        return LoadInput("", (LoadFile(str(location), store.size(str(location))),))
    directory = location.as_directory()
    if store.exists(str(directory.child("manifest"))):
        return _read(store, directory.child("manifest"))
    listed = ((parse_uri(item.uri), item.size) for item in store.list(str(directory)))
    files = tuple(LoadFile(str(place), size) for place, size in listed if place.name and place.name not in _MARKERS)
    if not files:
        raise NotFound(f"there are no files under {directory}; did the step before this one write there?")
    return LoadInput("", files)


def _read(store: S3Store, location: S3Location) -> LoadInput:
    """Read a manifest.

    One in which a file may be missing is not used as it is (COPY would load less in silence), and neither is one whose
    files are named relative to it, as an extract to a directory writes them that was then staged to S3.
    """
    here = S3Location(location.bucket, location.key.removesuffix(location.name))
    return read_manifest(str(location), store.get_bytes(str(location), _LIMIT), lambda url: _address(url, here))


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
    columns = tuple(element.name.lower() for element in elements) if manifest.schema_ else None
    scales = tuple((element.name.lower(), element.scale) for element in elements if element.scale is not None)
    types = tuple((element.name.lower(), kind) for element in elements if (kind := element.column_type) is not None)
    strict = all(entry.mandatory and "://" in entry.url for entry in manifest.entries)
    return LoadInput(uri if strict else "", files, columns, manifest.source.rows, manifest.source.format, scales, types)


def _address(url: str, directory: S3Location) -> str:
    return str(parse_uri(url) if "://" in url else directory.child(url))


def merge_inputs(found: Sequence[LoadInput], uri: str) -> LoadInput:
    """Return all inputs as one, whose manifest is ``uri``.

    Raises:
        SchemaMismatch: they hold different columns.
    """
    contents = {(part.columns, part.format) for part in found}
    if len(contents) > 1:
        raise SchemaMismatch("the inputs hold different columns or formats, or only some say which; load them apart")
    columns, told = contents.pop()
    files = tuple({file.uri: file for part in found for file in part.files}.values())
    scales = tuple(scale for part in found for scale in part.scales)
    types = tuple(dict(kind for part in found for kind in part.types).items())
    return LoadInput(uri, files, columns, _sum([part.source_rows for part in found]), told, scales, types)


def _sum(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None
