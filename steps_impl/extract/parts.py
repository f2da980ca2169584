"""Chunks of rows to several even files; the files of a failed run are removed.

Rows are dealt out: each chunk goes to the file that has got the fewest bytes so far and has room for rows. So files are
even in rows (they differ by one at the most) and, where the size of rows changes along the table, in bytes too.
"""

from __future__ import annotations

import math
import threading
from types import TracebackType
from typing import Any

from core.errors import StoreError
from steps_impl.extract.codecs import FileKind
from steps_impl.extract.manifest import Part
from steps_impl.extract.open_part import OpenPart
from steps_impl.extract.outputs import Output

#: Files that are written at the same time; each holds up to two parts of a multipart upload (16 MB).
_OPEN_AT_ONCE = 8
#: Bytes of rows that all open files together may hold back (the row groups of Parquet).
_HELD = 16 << 20
#: Chunks that each file is made of at the least, so that sizes even out, and rows of a chunk at the most.
_DEALS, _DEAL_ROWS = 32, 500
_NO_LIMIT = 1 << 62


class _Slot:
    """One file of the extract: how many rows it takes, has got and has promised room for, and its bytes of rows."""

    def __init__(self, number: int, limit: int) -> None:
        self.number = number
        self.limit = limit
        self.promised = self.rows = self.size = 0
        self.open: OpenPart | None = None
        self.done: Part | None = None

    @property
    def room(self) -> int:
        """How many rows may still be promised; a file without a limit takes those of any number of readers."""
        return _NO_LIMIT if self.limit == _NO_LIMIT else self.limit - self.rows - self.promised


class PartWriter:
    """Writes ``part-<run>-0000.tsv.gz`` and so on; a context manager that removes all of them when its block fails.

    ``sizes`` are the rows of each file; the last one takes what is left. Several threads may write, each through a
    ``share()`` of its own.
    """

    def __init__(self, output: Output, run: str, kind: FileKind, sizes: list[int]) -> None:
        self._output = output
        self._prefix = f"part-{run}-"
        self._kind = kind
        self._slots = [_Slot(number, size) for number, size in enumerate(sizes)]
        self._slots[-1].limit = max(sizes[-1], 1) if len(sizes) > 1 else _NO_LIMIT
        self._deal = max(1, min(_DEAL_ROWS, sizes[0] // _DEALS)) if len(sizes) > 1 else _NO_LIMIT
        #: Those that may still get rows, in order.
        self._unfinished = list(self._slots)
        self._held = _HELD // min(len(sizes), _OPEN_AT_ONCE)
        self._changed = threading.Condition()
        self._names: list[str] = []

    def share(self) -> Share:
        """Return what one reader writes through."""
        return Share(self)

    def promise(self) -> tuple[_Slot, int]:
        """Choose the file for the next chunk and keep room in it; return it and how many rows it may be."""
        with self._changed:
            while True:
                unfinished = self._unfinished[:_OPEN_AT_ONCE]
                free = [slot for slot in unfinished if slot.room > 0]
                if free or not any(slot.promised for slot in unfinished):
                    break
                self._changed.wait()
            slot = min(free, key=lambda one: one.size + one.promised) if free else self._last()
            rows = min(self._deal, slot.room) if free else _DEAL_ROWS
            slot.promised += rows
            return slot, rows

    def settle(self, slot: _Slot, promised: int, content: Any, rows: int, size: int) -> None:
        """Write a chunk into a file (none with ``rows`` 0) and give back the room that was kept for it."""
        full, written = None, False
        try:
            if rows:
                self._opened(slot, size).write(content, rows, size)
            written = True
        finally:  # whoever waits for room goes on, whatever has happened here
            with self._changed:
                slot.promised -= promised
                slot.rows += rows if written else 0
                if written and slot.open and slot.rows >= slot.limit and not slot.promised:
                    full, slot.open = slot.open, None
                    self._unfinished.remove(slot)
                self._changed.notify_all()
        if full is not None:
            slot.done = full.close()

    def finish(self) -> list[Part]:
        """Close all files and return them; an extract without rows has one empty file."""
        if not any(slot.open or slot.done for slot in self._slots):
            self._slots[0].open = self._begin(self._slots[0])
        for slot in self._slots:
            if slot.open:
                part, slot.open = slot.open, None
                slot.done = part.close()
        return [slot.done for slot in self._slots if slot.done]

    def _last(self) -> _Slot:
        """Return the file for rows that nobody counted: the last one, again open if it must be."""
        if not self._unfinished:
            self._unfinished.append(_Slot(len(self._slots), _NO_LIMIT))
            self._slots += self._unfinished
        slot = self._unfinished[-1]
        slot.limit = _NO_LIMIT
        return slot

    def _opened(self, slot: _Slot, size: int) -> OpenPart:
        with self._changed:
            slot.size += size
            slot.open = slot.open or self._begin(slot)
            return slot.open

    def _begin(self, slot: _Slot) -> OpenPart:
        name = f"{self._prefix}{slot.number:04d}.{self._kind.extension}"
        self._names.append(name)
        return OpenPart(self._output, name, self._kind.codec(self._held))

    def __enter__(self) -> PartWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            return
        try:
            for slot in self._slots:
                if slot.open is not None:
                    slot.open.abandon(error)
        finally:
            self._remove_quietly(error)

    def _remove_quietly(self, error: BaseException) -> None:
        try:
            self._output.remove(self._names)
        except StoreError as second:
            error.add_note(f"files of this run are left behind ({second}); names begin with {self._prefix}")


class Share:
    """What one reader writes through: it asks for room, brings at most so many rows, and asks again."""

    def __init__(self, writer: PartWriter) -> None:
        self._writer = writer
        self._slot: _Slot | None = None
        self._promised = 0

    def room(self) -> int:
        """Return how many rows the next chunk may have (a very large number where there is one file)."""
        if self._slot is None:
            self._slot, self._promised = self._writer.promise()
        return self._promised

    def write(self, content: Any, rows: int, size: int) -> None:
        """Write a chunk of at most ``room()`` rows and about ``size`` bytes."""
        self.room()
        assert self._slot is not None
        slot, self._slot = self._slot, None
        self._writer.settle(slot, self._promised, content, rows, size)

    def close(self) -> None:
        """Give back the room that is not used; without it others may wait for ever."""
        if self._slot is not None:
            self.write(None, 0, 0)


def even_sizes(rows: int, files: int) -> list[int]:
    """Return the rows of each file, differing by at most one; never more files than rows, at least one file."""
    count = max(1, min(files, rows))
    return [math.ceil((rows - index) / count) for index in range(count)]
