"""One PutLogEvents call: how much fits, and what a log gives for it.

Limits (API Reference, PutLogEvents): 10,000 events and 1,048,576 bytes, counted as UTF-8 plus 26 for each event; in
the order of time; not more than 24 hours from the first to the last (older documentation; kept to); none older than
14 days or more than 2 hours ahead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.logs.events import MESSAGE_LIMIT, OVERHEAD, PIECE, Messages, read_messages, to_json

EVENTS = 10_000
BYTES = 1024 * 1024
SPAN = 24 * 3600 * 1000  # milliseconds
#: Events are taken up to this age: an hour less than the 14 days, since clocks differ.
AGE = (14 * 24 - 1) * 3600 * 1000  # milliseconds
#: Bytes that are read at a time.
_WINDOW = 128 * 1024
#: Room that any line may need.
_LARGEST = MESSAGE_LIMIT + OVERHEAD


@dataclass(frozen=True)
class Batch:
    """Events that go out together, and how far each file has gone with them."""

    events: str
    count: int
    positions: tuple[int, ...]
    #: Something that could be sent had no room.
    full: bool = False


#: ``(file, offset, length) → bytes``, fewer at the end of the file.
Reader = Callable[[int, int, int], bytes]
Row = tuple[int, tuple[int, ...]]


class Packing:
    """Fills one batch from the files of a log, in the order in which they were written."""

    def __init__(self, positions: Sequence[int], read: Reader, now: int) -> None:
        self._positions = list(positions)
        self._read = read
        self._now = now
        self._parts: list[str] = []
        self._count = 0
        self._size = 0
        self._first = 0
        self._time = 0

    def mark(self, text: str) -> None:
        """Put in a line of our own."""
        self._add([text], len(text.encode()) + OVERHEAD, self._now)

    def fill(self, rows: Sequence[Row], *, whole: bool) -> Batch | None:
        """Take what there is up to the last row; ``whole``: also the last line of each file, though it has no end."""
        full = not all(self._take_row(row, whole=whole and row is rows[-1]) for row in rows)
        if not self._count:
            return None
        return Batch(",".join(self._parts), self._count, tuple(self._positions), full)

    def _take_row(self, row: Row, *, whole: bool) -> bool:
        """Take what was written up to then; ``False`` when the batch is full."""
        time, ends = row
        moment = max(min(time, self._now), self._now - AGE, self._time)
        if self._count and moment - self._first > SPAN:
            return False
        return all(self._take(file, end, moment, whole=whole) for file, end in enumerate(ends))

    def _take(self, file: int, end: int, moment: int, *, whole: bool) -> bool:
        """Take the file up to ``end``; ``False`` when the batch is full."""
        while (begin := self._positions[file]) < end:
            if self._count >= EVENTS or self._size + _LARGEST > BYTES:
                return False
            raw = self._read(file, begin, min(_WINDOW, end - begin))
            found = self._fitting(raw, whole=whole and begin + len(raw) >= end)
            if not found.consumed:
                return True
            self._positions[file] += found.consumed
            self._add(found.texts, found.size, moment)
        return True

    def _fitting(self, raw: bytes, *, whole: bool) -> Messages:
        found = read_messages(raw, EVENTS - self._count, whole=whole)
        while self._size + found.size > BYTES and found.consumed:
            raw = raw[: found.consumed // 2]
            found = read_messages(raw, EVENTS - self._count, whole=len(raw) < PIECE and b"\n" not in raw)
        return found

    def _add(self, texts: list[str], size: int, moment: int) -> None:
        self._parts.append(to_json(texts, moment))
        self._first = self._first if self._count else moment
        self._count += len(texts)
        self._size += size
        self._time = moment
