"""Chunks on their way into a database: checked, counted, and found again when the database refuses a row."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from core.errors import LoadRejected, UnsupportedValue
from steps_impl.activities.copying.lines import Chunk, Place, from_rows, to_rows
from steps_impl.activities.copying.rows import Rows
from steps_impl.contract import StepContext
from stores.rejections import Rejected

#: Bytes of lines that are kept to find a refused row in; more than a server reads ahead.
_KEPT = 16 << 20
_HEXADECIMAL = re.compile(rb"(?:[0-9A-Fa-f]{2})*\Z")


class Feed:
    """Hands on the chunks of a source; ``nul`` names what cannot hold NUL bytes, if the target is such a thing."""

    def __init__(self, rows: Rows, context: StepContext, *, nul: str | None) -> None:
        self._rows = rows
        self._chunks = self._checked(rows.chunks)
        self._context = context
        self._nul = nul
        self._kept: deque[tuple[int, Chunk]] = deque()
        self._size = 0
        self._window = 0
        self.treat: Callable[[Chunk], Chunk] = lambda chunk: chunk
        #: Rows handed on so far, and their bytes.
        self.count = 0
        self.bytes = 0
        self._waiting: Chunk | None = next(self._chunks, None)

    def require_width(self, width: int, taker: str, hint: str = "") -> None:
        """Refuse all rows if the first has another number of values; ``taker`` says who takes ``width`` of them.

        ``hint`` ends the message: what may be the cause.

        Raises:
            LoadRejected: it does; later rows are looked at by the database.
        """
        if self._waiting is not None and (found := len(self._waiting.row(0))) != width:
            raise LoadRejected(
                f"{self._waiting.place}: it has {found} values, {taker} takes {width}; nothing was loaded{hint}"
            )

    def chunks(self) -> Iterator[Chunk]:
        """Yield what is left, chunk by chunk."""
        while self._waiting is not None:
            chunk = self.treat(self._waiting)
            self._keep(chunk)
            yield chunk
            self._context.reporter.progress("load", rows=self.count, bytes=self.bytes)
            self._waiting = next(self._chunks, None)

    def windows(self, size: int) -> Iterator[Iterator[bytes]]:
        """Yield what is left in windows of about ``size`` bytes; rows are counted from 1 in each."""
        chunks = self.chunks()
        for chunk in chunks:
            self.begin_window()
            yield _window(chunk, chunks, size)

    def begin_window(self) -> None:
        """Count refused rows from the last chunk on."""
        while len(self._kept) > 1:
            self._drop()
        self._window = self._kept[0][0] if self._kept else self.count

    def place(self, row: int) -> Place | None:
        """Return where a row of this window stands, counted from 1; nothing when its lines are gone."""
        for first, chunk in self._kept:
            offset = self._window + row - 1 - first
            if 0 <= offset < chunk.rows:
                return chunk.place_of(offset)
        return None

    def refusal(self, rejected: Rejected, where: str) -> LoadRejected:
        """Return the error for a row that the database refused."""
        column = f", column {rejected.column}" if rejected.column else ""
        return LoadRejected(
            f"{where} refused {self._place_text(rejected.row)}{column}: {rejected.reason}; nothing was loaded"
        )

    def name_of(self, place: int) -> str:
        """Return what a message calls the column of a row's value."""
        return self._rows.column_name(place).removeprefix("column ")

    def _place_text(self, row: int | None) -> str:
        if row is not None:
            return str(self.place(row) or f"row {self._window + row} of all that came")
        if not self._kept:
            return "a row"
        first, last = self._kept[0][1], self._kept[-1][1]
        end = last.end.number - 1
        if first.place.name == last.place.name:
            return f"a row between {first.place} and {last.place.unit} {end}"
        return f"a row between {first.place} and {last.place.name}, {last.place.unit} {end}"

    def _keep(self, chunk: Chunk) -> None:
        self._kept.append((self.count, chunk))
        self._size += len(chunk.text)
        self.count += chunk.rows
        self.bytes += len(chunk.text)
        while self._size > _KEPT and len(self._kept) > 1:
            self._drop()

    def _drop(self) -> None:
        self._size -= len(self._kept.popleft()[1].text)

    def _checked(self, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        for chunk in chunks:
            if self._context.cancelled.is_set():
                raise InterruptedError("cancelled while loading")
            if not _is_utf8(chunk.text):
                self._refuse(chunk, lambda value: not _is_utf8(value), "not UTF-8; convert the file")
            if self._nul and b"\0" in chunk.text:
                self._refuse(chunk, lambda value: b"\0" in value, f"a NUL byte, which {self._nul} text cannot hold")
            yield chunk

    def _refuse(self, chunk: Chunk, is_bad: Callable[[bytes], bool], why: str) -> None:
        for index, row in enumerate(to_rows(chunk.text)):
            for place, value in enumerate(row):
                if value is not None and is_bad(value):
                    raise UnsupportedValue(f"{chunk.place_of(index)}, {self._rows.column_name(place)}: {why}")


def _window(first: Chunk, rest: Iterator[Chunk], size: int) -> Iterator[bytes]:
    passed = len(first.text)
    yield first.text
    while passed < size and (chunk := next(rest, None)):
        passed += len(chunk.text)
        yield chunk.text


def binary_treatment(
    rows: Rows, places: frozenset[int], columns: Sequence[str], prefix: bytes
) -> Callable[[Chunk], Chunk]:
    r"""Return what makes the values of binary columns hexadecimal, with ``prefix`` before them.

    Values that a database read as bytes are hexadecimal already, its texts are made so, and what stands in a file has
    to be (Postgres' ``\x`` before it is fine).
    """
    if places <= (rows.binary or frozenset()) and not (prefix and places):
        return lambda chunk: chunk

    def made(value: bytes, place: int, where: Callable[[], Place]) -> bytes:
        if rows.binary is not None:
            return prefix + (value if place in rows.binary else value.hex().encode("ascii"))
        bare = value.removeprefix(b"\\x")
        if not _HEXADECIMAL.match(bare):
            fault = "a binary column takes hexadecimal digits (CopyActivity's insertQuery can write text)"
            raise UnsupportedValue(f"{where()}, column {columns[place]}: {fault}")
        return prefix + bare

    def treat(chunk: Chunk) -> Chunk:
        treated = []
        for index, row in enumerate(to_rows(chunk.text)):
            where = partial(chunk.place_of, index)
            treated.append(
                [
                    made(value, place, where) if place in places and value is not None else value
                    for place, value in enumerate(row)
                ]
            )
        return Chunk(from_rows(treated), chunk.place)

    return treat


def _is_utf8(text: bytes) -> bool:
    if text.isascii():
        return True
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
