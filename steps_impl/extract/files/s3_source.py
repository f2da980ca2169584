"""Files in S3: one object, all below a prefix, or those that the manifest there names."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import IO

from core.errors import NotFound, ObjectReplaced, UnsupportedValue
from steps_impl.extract.files.source import Known, SourceFile, batches
from steps_impl.extract.manifest import NAME
from steps_impl.extract.outputs import LocalOutput, Output
from steps_impl.load.manifest import LoadFile, LoadInput
from steps_impl.load.s3_input import find_input
from stores.s3 import Copy, Download, ObjectInfo, S3Location, S3Store, parse_uri
from stores.s3.faults import local_file

#: Files of a manifest that are looked at together.
_LOOKS = 8


class S3Source:
    """What is at an address; a directory that an extract wrote is what its manifest says."""

    def __init__(self, store: S3Store, uri: str, cancelled: threading.Event, *, directory: bool) -> None:
        location = parse_uri(uri)
        self._store, self._cancelled = store, cancelled
        self._base = location.as_directory() if directory else S3Location(location.bucket, _parent(location.key))
        self.directory = str(self._base) if directory else None
        self.place = str(self._base if directory else location)
        self._named = self._read_manifest(location)

    def _read_manifest(self, location: S3Location) -> LoadInput | None:
        if self.directory and self._store.exists(str(self._base.child(NAME))):
            return find_input(self._store, str(self._base.child(NAME)))
        is_manifest = not self.directory and (location.name == NAME or location.name.endswith(f".{NAME}"))
        return find_input(self._store, str(location)) if is_manifest else None

    def known(self) -> Known:
        """Tell what the manifest says."""
        if self._named is None:
            return Known()
        columns = self._named.columns
        return Known(None if columns is None else [{"name": name} for name in columns], self._named.format)

    def files(self) -> Iterator[SourceFile]:
        """List, or look at the files of the manifest."""
        if self._named is None:
            return self._listed() if self.directory else self._single()
        return self._all_named(self._named.files)

    def _all_named(self, files: Sequence[LoadFile]) -> Iterator[SourceFile]:
        with ThreadPoolExecutor(_LOOKS, thread_name_prefix="look") as pool:
            for batch in batches(files):
                yield from pool.map(self._as_named, batch)

    def _single(self) -> Iterator[SourceFile]:
        try:
            yield self._file(self._store.describe(self.place))
        except NotFound:
            next(self._store.list(self.place), None)  # fails when it is the bucket that is not there

    def _as_named(self, named: LoadFile) -> SourceFile:
        found = self._store.describe(named.uri)
        if named.bytes not in (None, found.size):
            raise ObjectReplaced(f"{named.uri} has not the size that the manifest of {self.place} says; extract again")
        return self._file(found, named.rows)

    def _listed(self) -> Iterator[SourceFile]:
        for found in self._store.list(self.place):
            if not found.uri.endswith("/"):  # a directory marker
                yield self._file(found)

    def _file(self, found: ObjectInfo, rows: int | None = None) -> SourceFile:
        """Name a file relative to the place; one that a manifest has from elsewhere by its bucket and key."""
        start = str(self._base)
        name = found.uri.removeprefix(start if found.uri.startswith(start) else "s3://")
        return SourceFile(name, found.size, found.uri, found.etag, rows)

    def open(self, file: SourceFile) -> closing[IO[bytes]]:
        """Open an object."""
        return closing(self._store.open_reader(file.where))

    def deliver(self, files: Sequence[SourceFile], output: Output, directory: str) -> None:
        """Let S3 copy the objects, or fetch them into a local directory."""
        if isinstance(output, LocalOutput):
            self._fetch(files, output, directory)
            return
        targets = [parse_uri(output.location(directory + file.name)) for file in files]
        sources = [parse_uri(file.where) for file in files]
        copies = [Copy(source, target, True) for source, target in zip(sources, targets, strict=True)]
        self._store.copy_many(copies, self._cancelled)

    def _fetch(self, files: Sequence[SourceFile], output: LocalOutput, directory: str) -> None:
        downloads = []
        for file in files:
            if any(part in ("", ".", "..") or "\0" in part for part in file.name.split("/")):
                raise UnsupportedValue(f"{file.where!r} cannot become a file; rename the object, or copy it to S3")
            path = Path(output.location(directory + file.name))
            with local_file(path):
                path.parent.mkdir(parents=True, exist_ok=True)
            downloads.append(Download(parse_uri(file.where), path, file.size))
        self._store.download_many(downloads, self._cancelled)


def _parent(key: str) -> str:
    return key[: key.rfind("/") + 1]
