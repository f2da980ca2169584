"""Narrows two differing relations down to the rows that differ: first one checksum of all, then of ever smaller parts.

Equal relations cost one scan each. Both sides are asked at the same time. What is held in memory is the sums of some
segments and the rows of one batch, however large the relations are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from core.errors import ParameterError
from steps_impl.quality.comparing.layout import Layout, Ranges, Residues, Segments, Sums
from steps_impl.quality.comparing.tally import RowComparison, Tally

T = TypeVar("T")

#: Rows of a segment that are looked at one by one rather than cut further: a range is found by its index, while each
#: look at remainders is a scan, so that these are made smaller and fetched together.
_FEW_IN_RANGE, _FEW_BY_REMAINDER = 2_000, 100
#: Rows that are fetched at once.
_BATCH = 20_000
#: Segments into which one is cut at most, and sums that are asked for at once.
_RANGES, _REMAINDERS, _SUMS = 256, 4_096, 100_000
#: Rows that may share one key.
_SAME_KEY = 100_000


@dataclass
class Outcome:
    """What was found; ``complete`` is false when the search stopped at the limit."""

    source_rows: int = 0
    target_rows: int = 0
    tally: Tally = field(default_factory=Tally)
    complete: bool = True
    #: Statements that each side was asked.
    statements: int = 0
    #: What the number of a row is made of.
    checksum: str = ""


class Search:
    """One comparison of two sides."""

    def __init__(
        self,
        sides: tuple[Layout, Layout],
        compare: RowComparison,
        outcome: Outcome,
        *,
        whole_number_key: bool,
        limit: int,
        progress: Callable[[str, int], None] = lambda _phase, _rows: None,
    ) -> None:
        self._sides = sides
        self._compare = compare
        self._outcome = outcome
        self._ranges = whole_number_key
        self._limit = limit
        self._progress = progress
        self._pool = ThreadPoolExecutor(2, "compare")

    def run(self) -> None:
        """Compare; the outcome is then filled.

        Raises:
            ParameterError: more rows than can be looked at share one key.
            StoreError, InterruptedError: from the ends.
        """
        with self._pool:
            (source, low_high, no_key), (target, other, no_other) = self._both(
                lambda side: side.total(with_range=self._ranges)
            )
            self._outcome.source_rows, self._outcome.target_rows = source[0], target[0]
            self._progress("compared", max(source[0], target[0]))
            if source != target:
                self._narrow([limits for limits in (low_high, other) if limits], max(source[0], target[0]))
                if self._ranges and (no_key or no_other):
                    self._rows_without_key()

    def _narrow(self, limits: Sequence[tuple[int, int]], rows: int) -> None:
        if self._ranges and not limits:
            return
        low, high = (min(least for least, _ in limits), max(most for _, most in limits)) if limits else (0, 0)
        if not self._ranges or high - low >= 1 << 62:
            self._ranges = False
            self._descend(Residues(self._parts(rows)), None)
        else:
            width = (high - low) // self._parts(rows) + 1
            self._descend(Ranges(low, width), None)

    def _descend(self, segments: Segments, within: tuple[Segments, Sequence[int]] | None) -> None:
        """Compare the sums of segments; look at small ones that differ, cut large ones further."""
        differing = self._differing(segments, within)
        parts = self._parts(max(differing.values(), default=0))
        finer = segments.finer(parts)
        small = {number: rows for number, rows in differing.items() if rows <= self._few or finer is None}
        for batch in _batches(small, _BATCH):
            if self._full():
                return
            self._look_at(segments, batch, small)
        large = [number for number in differing if number not in small]
        for start in range(0, len(large), step := max(_SUMS // parts, 1)):
            if self._full():
                return
            if finer is not None:
                self._descend(finer, (segments, large[start : start + step]))

    def _differing(self, segments: Segments, within: tuple[Segments, Sequence[int]] | None) -> dict[int, int]:
        """Return the segments whose sums differ, with the rows of the larger side."""

        def sums(side: Layout) -> dict[int, Sums]:
            if within:
                return side.sums(segments, within[0].condition(side, within[1]))
            return side.sums(segments, None) if self._ranges else side.all_sums(segments)

        source, target = self._both(sums)
        numbers = sorted(source.keys() | target.keys())
        found = {number: (source.get(number, (0, 0)), target.get(number, (0, 0))) for number in numbers}
        return {number: max(one[0], other[0]) for number, (one, other) in found.items() if one != other}

    def _look_at(self, segments: Segments, numbers: Sequence[int], rows: dict[int, int]) -> None:
        if (most := max(rows[number] for number in numbers)) > _SAME_KEY:
            raise ParameterError(f"--keys: {most} rows share one key; name columns that identify a row")
        source, target = self._both(lambda side: side.rows(segments.condition(side, numbers)))
        self._compare.compare(source, target)
        self._progress("looked at", self._outcome.tally.wrong)

    def _rows_without_key(self) -> None:
        source, target = self._both(lambda side: side.without_key())
        if source == target or self._full():
            return
        if max(source[0], target[0]) > _SAME_KEY:
            raise ParameterError(f"--keys: {max(source[0], target[0])} rows have NULL as their key; leave them out")
        rows = self._both(lambda side: side.rows(f"{side.key_name} IS NULL"))
        self._compare.compare(*rows)

    @property
    def _few(self) -> int:
        return _FEW_IN_RANGE if self._ranges else _FEW_BY_REMAINDER

    def _parts(self, rows: int) -> int:
        """Return into how many parts so many rows are cut, so that few are left in each."""
        return min(max(-(-rows // self._few), 2), _RANGES if self._ranges else _REMAINDERS)

    def _full(self) -> bool:
        if self._outcome.tally.wrong >= self._limit:
            self._outcome.complete = False
        return not self._outcome.complete

    def _both(self, ask: Callable[[Layout], T]) -> tuple[T, T]:
        """Ask both sides at the same time."""
        self._outcome.statements += 1
        source, target = [self._pool.submit(ask, side) for side in self._sides]
        return source.result(), target.result()


def _batches(sizes: dict[int, int], most: int) -> Iterator[list[int]]:
    """Cut segments into batches of at most so many rows (a single larger one stands alone)."""
    batch: list[int] = []
    room = most
    for number, rows in sizes.items():
        if batch and rows > room:
            yield batch
            batch, room = [], most
        batch.append(number)
        room -= rows
    if batch:
        yield batch
