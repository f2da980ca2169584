"""The SHA-256 of files, on their way in and out; written as ``sha256sum`` reads them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO

from core.errors import NotFound, ParameterError
from steps_impl.extract.files.source import FileSource, SourceFile

SUMS = "SHA256SUMS"
_BLOCK = 1 << 20  # bytes
_READERS = 4


@dataclass(frozen=True)
class Summed:
    """A file and the sum of its content."""

    file: SourceFile
    sha256: str


@dataclass(frozen=True)
class Content:
    """All files of a version, by their names."""

    files: tuple[Summed, ...]
    #: A single file, whose sum stands beside it and is the version's own.
    single: bool

    @property
    def sha256(self) -> str:
        """The sum of the whole."""
        return self.files[0].sha256 if self.single else hashlib.sha256(self.sums()).hexdigest()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(summed.file.size for summed in self.files)

    @property
    def sums_name(self) -> str:
        """The name of the file of sums."""
        return f"{self.files[0].file.name}.sha256" if self.single else SUMS

    def sums(self) -> bytes:
        """Return the lines of ``sha256sum``."""
        return "".join(f"{summed.sha256}  {summed.file.name}\n" for summed in self.files).encode()


def read_content(source: FileSource, look: Callable[[], None]) -> Content:
    """Read all files of a source.

    Raises:
        NotFound: there is none.
        ParameterError: one has a name that is ours, or that a line of sums cannot hold.
    """
    found = sorted(source.files(), key=lambda file: file.name)
    if not found:
        raise NotFound(f"there is nothing to publish in {source.place}; check the path")
    for file in found:
        if file.name == SUMS or "\n" in file.name or "\\" in file.name:
            raise ParameterError(f"{file.where!r} cannot be published under this name; rename it")
    with ThreadPoolExecutor(_READERS, thread_name_prefix="sum") as pool:
        sums = list(pool.map(lambda file: _sum_of(source, file, look), found))
    files = tuple(Summed(file, sha256) for file, sha256 in zip(found, sums, strict=True))
    return Content(files, single=source.directory is None)


def sum_of(content: IO[bytes], look: Callable[[], None]) -> str:
    """Return the sum of a stream; ``look`` is called now and then and may raise to end it."""
    digest = hashlib.sha256()
    while block := content.read(_BLOCK):
        look()
        digest.update(block)
    return digest.hexdigest()


def _sum_of(source: FileSource, file: SourceFile, look: Callable[[], None]) -> str:
    with source.open(file) as content:
        return sum_of(content, look)
