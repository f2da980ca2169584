"""When how much had been written: a small index from places in an attempt's files to times."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence

#: Writes to the same file within this many milliseconds count as one.
RESOLUTION = 20
#: Marks that are kept; more are thinned out, and times become coarser.
LIMIT = 1024


class Marks:
    """Marks ``(milliseconds, end of each file)``, growing. Not safe to use from several threads by itself."""

    def __init__(self, files: int) -> None:
        self._times = array("q")
        self._ends = [array("q") for _ in range(files)]
        self._last = -1
        self._resolution = RESOLUTION
        self._thinned = False

    def __len__(self) -> int:
        return len(self._times)

    @property
    def last_time(self) -> int:
        """When something was written last, in milliseconds; 0 when nothing was."""
        return self._times[-1] if self._times else 0

    def add(self, now: int, file: int, ends: Sequence[int]) -> None:
        """Note that ``file`` was written to just now; ``ends`` are the sizes of all files."""
        recent = self._times and now - self._times[-1] < self._resolution
        if recent and (file == self._last or self._thinned):
            for column, end in zip(self._ends, ends, strict=True):
                column[-1] = end
            return
        self._last = file
        self.restore(now, ends)
        if len(self._times) > LIMIT:
            self._thin_out()

    def restore(self, time: int, ends: Sequence[int]) -> None:
        """Append a mark as it is."""
        self._times.append(time)
        for column, end in zip(self._ends, ends, strict=True):
            column.append(end)

    def forget(self, positions: Sequence[int]) -> None:
        """Drop the marks before these places."""
        done = 0
        for ends in zip(*self._ends, strict=True):
            if any(end > position for end, position in zip(ends, positions, strict=True)):
                break
            done += 1
        for column in (self._times, *self._ends):
            del column[:done]
        if not self._times:
            self._resolution, self._thinned = RESOLUTION, False

    def rows(self, most: int | None = None) -> Iterator[tuple[int, tuple[int, ...]]]:
        """The marks, oldest first; with ``most``, about that many of them, the newest included."""
        step = 1 if most is None else max(1, -(-len(self) // most))
        first = (len(self) - 1) % step if len(self) else 0
        for at in range(first, len(self), step):
            yield self._times[at], tuple(column[at] for column in self._ends)

    def _thin_out(self) -> None:
        """Drop every other mark, and take new ones as rarely."""
        for column in (self._times, *self._ends):
            del column[-2::-2]
        gap = (self._times[-1] - self._times[0]) // len(self._times)
        self._resolution, self._thinned = max(self._resolution, gap), True
