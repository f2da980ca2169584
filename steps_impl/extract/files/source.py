"""Where whole files come from: S3 or a directory, behind one protocol."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import IO, Any, Protocol, TypeVar

from steps_impl.extract.outputs import Output

#: Things that are treated together.
_BATCH = 500
T = TypeVar("T")


def batches(things: Iterable[T]) -> Iterator[list[T]]:
    """Yield things in lists of a few hundred."""
    remaining = iter(things)
    while batch := list(itertools.islice(remaining, _BATCH)):
        yield batch


@dataclass(frozen=True)
class SourceFile:
    """A file: its name relative to what is extracted, its bytes, where it is, what changes with its content."""

    name: str
    size: int
    where: str
    mark: str
    #: Rows, where a manifest of the source says so.
    rows: int | None = None


class FileSource(Protocol):
    """A place that has files."""

    #: What messages call it.
    place: str
    #: The address or path that all its files begin with, with a slash at its end; ``None`` for a single file.
    directory: str | None

    def files(self) -> Iterator[SourceFile]:
        """Look afresh, and yield the files in the order of their names."""

    def open(self, file: SourceFile) -> AbstractContextManager[IO[bytes]]:
        """Open one to read."""

    def deliver(self, files: Sequence[SourceFile], output: Output, directory: str) -> None:
        """Copy files, bytes untouched, to names in a directory of the output."""

    def known(self) -> Known:
        """What the place says of its files."""


@dataclass(frozen=True)
class Known:
    """Columns and format of the files, where their place tells them."""

    elements: Sequence[dict[str, Any]] | None = None
    format: str | None = None
