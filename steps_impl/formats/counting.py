r"""How many rows a file of text has, block by block and without splitting it into rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import IO, Literal, Protocol

TextFormat = Literal["tsv", "csv", "json"]
_BLOCK = 1 << 20  # bytes


class _Counter(Protocol):
    rows: int

    def add(self, block: bytes) -> None:
        """Count the ends of rows in a block."""

    def is_open(self) -> bool:
        """Whether a row is begun that has no end yet."""


class _Escaped:
    """``tsv``: a backslash takes the meaning from the byte after it."""

    def __init__(self) -> None:
        self.rows = 0
        self._held = b""
        self._ended = True

    def add(self, block: bytes) -> None:
        text = self._held + block
        plain = text.rstrip(b"\\")
        self._held = text[len(plain) :]  # what they escape comes with the next block
        if plain:
            single = plain.replace(b"\\\\", b"")
            self.rows += single.count(b"\n") - single.count(b"\\\n")
            self._ended = single.endswith(b"\n") and not single.endswith(b"\\\n")

    def is_open(self) -> bool:
        return bool(self._held) or not self._ended


class _Quoted:
    """``csv``: between quotes a line feed is a part of the value."""

    def __init__(self) -> None:
        self.rows = 0
        self._inside = 0
        self._ended = True

    def add(self, block: bytes) -> None:
        pieces = block.split(b'"')
        self.rows += sum(piece.count(b"\n") for piece in pieces[self._inside :: 2])
        self._inside = (self._inside + len(pieces) - 1) % 2
        self._ended = not self._inside and block.endswith(b"\n")

    def is_open(self) -> bool:
        return not self._ended


class _Lines:
    """``json``: one object a line; blank lines are none."""

    def __init__(self) -> None:
        self.rows = 0
        self._held = b""

    def add(self, block: bytes) -> None:
        *lines, rest = block.split(b"\n")
        if lines:
            lines[0] = self._held + lines[0]
            self.rows += sum(1 for line in lines if line.strip())
            self._held = rest[:_BLOCK].strip()
        else:
            self._held = (self._held + rest[:_BLOCK]).strip()[:_BLOCK]

    def is_open(self) -> bool:
        return bool(self._held)


_COUNTERS: dict[TextFormat, Callable[[], _Counter]] = {"tsv": _Escaped, "csv": _Quoted, "json": _Lines}


def count_rows(file: IO[bytes], form: TextFormat, look: Callable[[], None]) -> int:
    """Return the rows of a file; one without an end at the end of the file counts. ``look`` is called now and then."""
    counter = _COUNTERS[form]()
    for block in _blocks(file):
        look()
        counter.add(block)
    return counter.rows + counter.is_open()


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(_BLOCK):
        yield block
