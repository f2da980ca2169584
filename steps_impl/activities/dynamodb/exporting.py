"""From a table to files, or to another table."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from core.errors import StoreError, UnsupportedValue
from steps_impl.activities.dynamodb.directory import OutputDirectory, Part
from steps_impl.activities.dynamodb.segments import for_each_segment
from steps_impl.activities.dynamodb.tally import Tally
from stores.dynamodb import BatchWriter, Item, Scan


def write_files(
    scan: Scan,
    directory: OutputDirectory,
    name_of: Callable[[int], str],
    line_of: Callable[[Item], bytes],
    tally: Tally,
    concurrency: int,
) -> list[Part]:
    """Write a file for each segment that has items; when one fails, none is left behind."""

    def work(segment: int) -> Part | None:
        try:
            return directory.write(name_of(segment), map(line_of, _items(scan, segment)), tally.count)
        except UnsupportedValue as error:
            raise UnsupportedValue(f"table {scan.table.name}: {error}") from None

    try:
        parts = for_each_segment(scan, work, tally.tell, concurrency)
    except BaseException:
        with suppress(StoreError):  # what cannot be removed goes with the next run
            directory.discard(map(name_of, range(scan.segments)))
        raise
    return [part for part in parts if part]


def write_segments(
    scan: Scan, directory: Path, line_of: Callable[[Item], bytes], tally: Tally, concurrency: int
) -> None:
    """Write the items of each segment as lines to a file of its own in a local directory."""

    def work(segment: int) -> None:
        with (directory / f"{segment:06d}").open("wb") as file:
            for page in scan.pages(segment):
                for item in page:
                    tally.count(file.write(line_of(item)))

    for_each_segment(scan, work, tally.tell, concurrency)


def copy_items(scan: Scan, writer: BatchWriter, tally: Tally, concurrency: int) -> None:
    """Put the items of a table into the writer's."""
    lock = threading.Lock()
    source = f"an item of the table {scan.table.name}"

    def work(segment: int) -> None:
        for item in _items(scan, segment):
            with lock:
                writer.put(item, source)
            tally.count(0)

    for_each_segment(scan, work, tally.tell, concurrency)


def _items(scan: Scan, segment: int) -> Iterator[Item]:
    return itertools.chain.from_iterable(scan.pages(segment))
