"""From a table to files, or to another table."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator

from core.errors import UnsupportedValue
from steps_impl.activities.dynamodb.directory import OutputDirectory, Part
from steps_impl.activities.dynamodb.segments import for_each_segment
from steps_impl.contract import Reporter, StepResult
from stores.dynamodb import BatchWriter, Item, Scan

#: Says which items are taken.
Filter = Callable[[Item], bool]


class Tally:
    """Counts from several threads, and tells how far it is."""

    def __init__(self, reporter: Reporter, phase: str) -> None:
        self._reporter, self._phase = reporter, phase
        self._lock = threading.Lock()
        self.items = self.bytes = 0

    def count(self, size: int) -> None:
        """Count an item of so many bytes."""
        with self._lock:
            self.items += 1
            self.bytes += size

    def tell(self) -> None:
        """Tell the reporter."""
        self._reporter.progress(self._phase, rows=self.items, bytes=self.bytes)

    def result(self, **details: object) -> StepResult:
        """Return what was moved."""
        return StepResult(rows=self.items, bytes=self.bytes, details=details)


def write_files(
    scan: Scan,
    directory: OutputDirectory,
    name_of: Callable[[int], str],
    line_of: Callable[[Item], bytes],
    tally: Tally,
    concurrency: int,
    keep: Filter | None = None,
) -> list[Part]:
    """Write a file for each segment that has items; when one fails, none is left behind."""

    def work(segment: int) -> Part | None:
        try:
            return directory.write(name_of(segment), map(line_of, _items(scan, segment, keep)), tally.count)
        except UnsupportedValue as error:
            raise UnsupportedValue(f"table {scan.table.name}: {error}") from None

    try:
        parts = for_each_segment(scan, work, tally.tell, concurrency)
    except BaseException:
        directory.discard(map(name_of, range(scan.segments)))
        raise
    return [part for part in parts if part]


def copy_items(scan: Scan, writer: BatchWriter, tally: Tally, concurrency: int, keep: Filter | None = None) -> None:
    """Put the items of a table into the writer's."""
    lock = threading.Lock()
    source = f"an item of the table {scan.table.name}"

    def work(segment: int) -> None:
        for item in _items(scan, segment, keep):
            with lock:
                writer.put(item, source)
            tally.count(0)

    for_each_segment(scan, work, tally.tell, concurrency)


def _items(scan: Scan, segment: int, keep: Filter | None) -> Iterator[Item]:
    items = itertools.chain.from_iterable(scan.pages(segment))
    return filter(keep, items) if keep else items
