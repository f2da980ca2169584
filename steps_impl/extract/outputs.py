"""Where an extract goes: a prefix in S3 or a local directory. A file is there as a whole or not at all."""

from __future__ import annotations

import errno
import itertools
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Protocol

from core.errors import AccessDenied, DiskFull, NotFound, ParameterError, StoreError

_MANIFEST_LIMIT = 16 << 20
#: ``http://…``, ``file:///…``, ``s3:/…``: what would be a directory of that odd name.
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")


class Sink(Protocol):
    """What takes the bytes of one file."""

    def write(self, data: bytes, /) -> object:
        """Take the next bytes."""


class Output(Protocol):
    """A place for files, by their names."""

    def create(self, name: str) -> AbstractContextManager[Sink]:
        """Open a new file; it is there when the block ends without an error, and not at all otherwise."""

    def url(self, name: str) -> str:
        """Return how a manifest in this place names the file."""

    def location(self, name: str) -> str:
        """Return the full address of the file."""

    def read(self, name: str) -> bytes | None:
        """Return a small file, or ``None`` when it is not there."""

    def replace(self, name: str, data: bytes) -> None:
        """Write a small file in one step, over a former one of this name."""

    def replace_with(self, name: str, pieces: Iterable[bytes]) -> None:
        """Do as ``replace``, with a content that comes piece by piece."""

    def names(self, prefix: str) -> Iterator[str]:
        """Yield the files whose names begin with ``prefix``; the name of one in a directory has slashes."""

    def remove(self, names: Iterable[str]) -> None:
        """Remove files; those that are not there are fine."""

    def close(self) -> None:
        """Give back what the place holds open."""


def open_output(place: str) -> Output:
    """Return the output for ``s3://bucket/prefix/`` or a local directory (made if missing). Raises as ``in_s3``."""
    return S3Output(place) if in_s3(place) else LocalOutput(Path(place))


def in_s3(place: str) -> bool:
    """Tell whether a place is one of S3, not a path.

    Raises:
        ParameterError: it is an address of something else.
    """
    if place.startswith(("s3://", "s3a://", "s3n://")):
        return True
    if _ADDRESS.match(place):
        raise ParameterError(f"{place!r} is neither an s3:// address nor a path; correct it")
    return False


class S3Output:
    """A prefix in S3; manifests name files by their ``s3://`` address."""

    def __init__(self, place: str) -> None:
        from stores.s3 import S3Store, parse_uri  # a local extract needs no S3 library

        self._place = parse_uri(place).as_directory()
        self._store = S3Store()

    def create(self, name: str) -> AbstractContextManager[Sink]:
        """Stream a new object."""
        return self._store.open_writer(self.location(name))

    def url(self, name: str) -> str:
        """Return the object's address."""
        return self.location(name)

    def location(self, name: str) -> str:
        """Return the object's address."""
        return str(self._place.child(name))

    def read(self, name: str) -> bytes | None:
        """Return a small object, or ``None``; S3 also says 403 for a missing one to a role that may not list."""
        try:
            return self._store.get_bytes(self.location(name), _MANIFEST_LIMIT)
        except (NotFound, AccessDenied):
            return None

    def replace(self, name: str, data: bytes) -> None:
        """Put a small object."""
        self._store.put_bytes(self.location(name), data)

    def replace_with(self, name: str, pieces: Iterable[bytes]) -> None:
        """Put an object; it appears with its last piece."""
        with self._store.open_writer(self.location(name)) as writer:
            for piece in pieces:
                writer.write(piece)

    def names(self, prefix: str) -> Iterator[str]:
        """List objects."""
        start = self.location("")
        return (found.uri.removeprefix(start) for found in self._store.list(start + prefix))

    def remove(self, names: Iterable[str]) -> None:
        """Delete objects."""
        self._store.delete([self.location(name) for name in names])

    def close(self) -> None:
        """Close the idle connections."""
        self._store.close()


class LocalOutput:
    """A local directory; manifests name files relative to themselves."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        with _typed(directory):
            directory.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def create(self, name: str) -> Iterator[Sink]:
        """Write a new file and flush it to the disk."""
        path = self._directory / name
        with _typed(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with path.open("xb") as file:
                    yield file
                    _flush(file.fileno(), file.flush)
            except BaseException:
                path.unlink(missing_ok=True)
                raise

    def url(self, name: str) -> str:
        """Return the bare name."""
        return name

    def location(self, name: str) -> str:
        """Return the file's path."""
        return str(self._directory / name)

    def read(self, name: str) -> bytes | None:
        """Return a small file, or ``None``."""
        path = self._directory / name
        with _typed(path):
            return path.read_bytes() if path.exists() else None

    def replace(self, name: str, data: bytes) -> None:
        """Write beside the file, flush, rename."""
        self.replace_with(name, [data])

    def replace_with(self, name: str, pieces: Iterable[bytes]) -> None:
        """Do it piece by piece."""
        path = self._directory / name
        with _typed(path):
            handle, draft = tempfile.mkstemp(dir=self._directory, prefix=f".{name}.")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.writelines(pieces)
                    os.fchmod(file.fileno(), 0o644)
                    _flush(file.fileno(), file.flush)
                Path(draft).replace(path)
            except BaseException:
                Path(draft).unlink(missing_ok=True)
                raise
            self._flush_directory()

    def names(self, prefix: str) -> Iterator[str]:
        """Look through the directory."""
        with _typed(self._directory):
            for top in sorted(self._directory.iterdir()):
                if top.name.startswith(prefix):
                    files = (path for path in top.rglob("*") if path.is_file()) if top.is_dir() else [top]
                    yield from (path.relative_to(self._directory).as_posix() for path in files)

    def remove(self, names: Iterable[str]) -> None:
        """Remove files, and directories of theirs that are empty then."""
        for name in names:
            path = self._directory / name
            with _typed(path):
                path.unlink(missing_ok=True)
            for parent in itertools.takewhile(lambda place: place != self._directory, path.parents):
                with suppress(OSError):  # it holds something else
                    parent.rmdir()

    def close(self) -> None:
        """Nothing is held open."""

    def _flush_directory(self) -> None:
        handle = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _flush(descriptor: int, flush: object) -> None:
    assert callable(flush)
    flush()
    os.fsync(descriptor)


@contextmanager
def _typed(path: Path) -> Iterator[None]:
    """Turn the operating system's errors into ours."""
    try:
        yield
    except InterruptedError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(f"no space left for {path}; free some, or extract to S3") from None
        if isinstance(error, PermissionError):
            raise AccessDenied(f"{path} may not be written; give this user the right to, or choose another") from None
        raise StoreError(f"cannot write {path}: {error.strerror or error}; choose another output") from None
