"""A log on its way to one CloudWatch stream: its files on the disk, how far they are sent, when they were written.

Nothing of their content is held in memory: an outage only makes the places lag behind.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.logs.batch import Batch, Packing
from agent.logs.marks import Marks
from agent.logs.steady_time import SteadyTime

#: An unfinished line is sent when nothing has followed for so many milliseconds.
STILLNESS = 10_000
#: Bytes at which a skipped place is looked for the end of a line.
_LINE_SEARCH = 64 * 1024


@dataclass(frozen=True)
class Target:
    """A stream of a log group."""

    group: str
    stream: str


class Tail:
    """Written to by one thread, sent by another; ``notify`` is called when something new waits for the first time."""

    def __init__(
        self, target: Target, files: Sequence[Path], time: SteadyTime, positions: Sequence[int] | None = None
    ) -> None:
        self.target = target
        self.files = tuple(files)
        self.notify: Callable[[Tail], None] = lambda _: None
        self._time = time
        self._lock = threading.Lock()
        self._positions = list(positions or [0] * len(self.files))
        self._ends = list(self._positions)
        self._marks = Marks(len(self.files))
        self._announced = False
        self._dropped = 0
        self._drop_reason = ""
        #: Nothing more will be written.
        self.ended = False
        #: The stream is there.
        self.opened = any(self._positions)
        #: Name of its note on the disk, once it has one.
        self.note = ""

    @property
    def positions(self) -> tuple[int, ...]:
        """Bytes of each file that are sent (or dropped)."""
        return tuple(self._positions)

    @property
    def ends(self) -> tuple[int, ...]:
        """Bytes of each file that are written."""
        with self._lock:
            return tuple(self._ends)

    @property
    def waiting(self) -> int:
        """Bytes that are not sent yet."""
        with self._lock:
            return sum(self._ends) - sum(self._positions)

    @property
    def settled(self) -> bool:
        """Nothing is left to be sent."""
        return not self.waiting and not self._dropped

    @property
    def oldest(self) -> int:
        """When the first of them were written, in milliseconds of ``SteadyTime``."""
        with self._lock:
            return next((time for time, _ in self._marks.rows()), 0)

    def wrote(self, file: int, count: int) -> None:
        """So many bytes more are in this file."""
        with self._lock:
            self._ends[file] += count
            self._marks.add(self._time.now(), file, self._ends)
            announce, self._announced = not self._announced, True
        if announce:
            self.notify(self)

    def end(self) -> None:
        """Nothing more will be written."""
        with self._lock:
            self.ended = True
            unsent = self._announced or sum(self._ends) > sum(self._positions)
        if unsent or self.note:
            self.notify(self)

    def restore(self, rows: Sequence[tuple[int, Sequence[int]]]) -> None:
        """Take over what is known of an earlier process's log."""
        with self._lock:
            for time, ends in rows:
                self._marks.restore(time, ends)
                self._ends = list(ends)
            self.ended = True

    def rows(self, most: int) -> list[tuple[int, tuple[int, ...]]]:
        """About so many of the times of what waits."""
        with self._lock:
            return list(self._marks.rows(most))

    def next_batch(self) -> Batch | None:
        """Return what can be sent now.

        Raises:
            OSError: a file cannot be read.
        """
        with self._lock:
            self._announced = False
            rows, positions, dropped = list(self._marks.rows()), tuple(self._positions), self._dropped
            whole = self.ended or self._time.now() - self._marks.last_time >= STILLNESS
        wall = [(self._time.wall(time), ends) for time, ends in rows]
        with _Files(self.files) as files:
            packing = Packing(positions, files.read, self._time.wall(self._time.now()))
            if dropped:
                packing.mark(f"[ductrunner: {dropped} bytes are left out here: {self._drop_reason}]")
            return packing.fill(wall, whole=whole)

    def sent(self, batch: Batch) -> None:
        """These events are in CloudWatch."""
        with self._lock:
            self._positions = list(batch.positions)
            self._dropped = 0
            self._marks.forget(self._positions)

    def drop(self, positions: Sequence[int], why: str) -> int:
        """Give up what lies before these places; a line in the stream will tell. Returns the number of bytes."""
        with self._lock:
            lost = sum(positions) - sum(self._positions)
            self._positions = list(positions)
            # What is refused again without anything new in it would be refused for ever.
            self._dropped = self._dropped + lost if lost else 0
            self._drop_reason = why
            self._marks.forget(self._positions)
        return lost

    def skip(self, count: int, why: str) -> int:
        """Give up about ``count`` of the oldest bytes that wait, up to the end of a line; returns how many."""
        with self._lock:
            positions, ends = list(self._positions), list(self._ends)
        with _Files(self.files) as files:
            for file, end in enumerate(ends):
                step = min(count, end - positions[file])
                if step > 0:
                    positions[file] = min(end, files.next_line(file, positions[file] + step))
                    count -= step
        return self.drop(positions, why)


class _Files:
    """The files of a log, open while they are read."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._open: dict[int, int] = {}

    def __enter__(self) -> _Files:
        return self

    def __exit__(self, *_: object) -> None:
        for fd in self._open.values():
            os.close(fd)

    def read(self, file: int, offset: int, length: int) -> bytes:
        """Return bytes from a place on."""
        if file not in self._open:
            self._open[file] = os.open(self._paths[file], os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        return os.pread(self._open[file], length, offset)

    def next_line(self, file: int, offset: int) -> int:
        """Return where the next line begins, if that is near, else ``offset``."""
        found = self.read(file, max(0, offset - 1), _LINE_SEARCH).find(b"\n")
        return offset + max(0, found)
