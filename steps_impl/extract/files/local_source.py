"""A local file, or all files below a directory."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from core.errors import NotFound, UnsupportedValue
from steps_impl.extract import manifest
from steps_impl.extract.files.source import Known, SourceFile
from steps_impl.extract.manifest import Entry
from steps_impl.extract.outputs import LocalOutput, Output
from stores.s3 import S3Location, S3Store, Upload, parse_uri, walk
from stores.s3.faults import local_file

_BLOCK = 1 << 20  # bytes


class LocalSource:
    """What is at a path. Links that lead out of a directory, pipes and devices are refused (``stores.s3.trees``)."""

    def __init__(self, store: S3Store, path: Path, cancelled: threading.Event) -> None:
        self._store, self._path, self._cancelled = store, path, cancelled
        self.place = str(path)
        self.directory = f"{path}/" if path.is_dir() else None
        self._manifest = self._read_manifest()
        if path.exists() and not path.is_dir() and not path.is_file():
            raise UnsupportedValue(f"{self.place!r} is not a regular file; write one")

    def known(self) -> Known:
        """Tell what the manifest of an extract says that was staged here."""
        if self._manifest is None:
            return Known()
        schema = self._manifest.get("schema") or {}
        return Known(schema.get("elements"), self._manifest["source"].get("format"))

    def _read_manifest(self) -> dict[str, Any] | None:
        path = self._path / manifest.NAME
        if self.directory is None or not path.is_file():
            return None
        with local_file(path):
            text = path.read_bytes()
        document: dict[str, Any] | None = json.loads(text) if manifest.urls_of(text) else None
        return document

    def _staged(self, entry: Entry) -> SourceFile:
        """Find the file of an entry: named relative to the manifest, or by an address of which it has the end."""
        parts = entry.url.split("/")
        ends = ("/".join(parts[start:]) for start in range(len(parts)))
        for name in ends if "://" in entry.url else [entry.url]:
            if name and (self._path / name).is_file():
                return replace(self._file(self._path / name, name), rows=entry.rows)
        raise NotFound(f"{entry.url} of the manifest in {self.place} is not there; stage its directory whole")

    def files(self) -> Iterator[SourceFile]:
        """Look through the directory, or at the files of its manifest."""
        if self._manifest is not None:
            yield from map(self._staged, manifest.entries_of(self._manifest))
            return
        if not self._path.is_dir():
            if self._path.exists():
                yield self._file(self._path, self._path.name)
            return
        for found in walk(self._path, S3Location("", ""), sse=True):
            yield self._file(found.path, found.path.relative_to(self._path).as_posix())

    def _file(self, path: Path, name: str) -> SourceFile:
        with local_file(path):
            status = path.stat()
        return SourceFile(name, status.st_size, str(path), f"{status.st_ino} {status.st_mtime_ns}")

    @contextmanager
    def open(self, file: SourceFile) -> Iterator[IO[bytes]]:
        """Open a file."""
        path = Path(file.where)
        with local_file(path), path.open("rb") as content:
            yield content

    def deliver(self, files: Sequence[SourceFile], output: Output, directory: str) -> None:
        """Upload the files, or copy them into a local directory."""
        if isinstance(output, LocalOutput):
            for file in files:
                self._copy(file, output, directory + file.name)
            return
        targets = [parse_uri(output.location(directory + file.name)) for file in files]
        sizes = [(Path(file.where), file.size) for file in files]
        uploads = [Upload(path, target, size, True) for (path, size), target in zip(sizes, targets, strict=True)]
        self._store.upload_many(uploads, self._cancelled)

    def _copy(self, file: SourceFile, output: LocalOutput, name: str) -> None:
        with self.open(file) as content, output.create(name) as sink:
            while block := content.read(_BLOCK):
                if self._cancelled.is_set():
                    raise InterruptedError("cancelled while copying")
                sink.write(block)
