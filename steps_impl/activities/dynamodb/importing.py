"""From files to a table."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import IO, Any, Final, TypeAlias

from isal import igzip, isal_zlib

from core.errors import UnsupportedValue
from core.sections.activities import DynamoDbSettings
from steps_impl.activities.dynamodb.lines import read_line
from steps_impl.activities.dynamodb.shares import write_pace
from steps_impl.activities.dynamodb.tally import Tally
from steps_impl.contract import StepContext
from stores.dynamodb import BatchWriter, DynamoDB, Item, Table
from stores.s3 import S3Store

#: An item, where it is in words for a message (``s3://…, line 7``), and how many bytes it takes there.
Found: TypeAlias = tuple[Item, str, int]
#: Bytes of a line at most: an item has 400 kB, and JSON may need six for one.
_LONGEST = 8 * 1024 * 1024
_decompressed: Final[Any] = igzip.open
#: How a broken gzip file shows.
_BROKEN: Final[Any] = (EOFError, gzip.BadGzipFile, isal_zlib.error)


def read_items(store: S3Store, uris: Sequence[str], cancelled: threading.Event) -> Iterator[Found]:
    """Yield each item of the files.

    Raises:
        UnsupportedValue: a line is no item; the message names file and line.
        NotFound: a file is not there.
        InterruptedError: cancelled.
    """
    for uri in uris:
        with closing(_open_lines(store, uri)) as file:
            for number, line in enumerate(_lines(file, uri), start=1):
                if cancelled.is_set():
                    raise InterruptedError("the import was cancelled")
                if line.strip():
                    place = f"{uri}, line {number}"
                    yield _read(line, place), place, len(line)


@dataclass(frozen=True)
class BatchTarget:
    """A table that takes items at a share of its write capacity."""

    database: DynamoDB
    table: Table
    share: float
    settings: DynamoDbSettings

    def writer(self) -> BatchWriter:
        """Return what puts items there."""
        pace = write_pace(self.database, self.table, self.share, self.settings)
        return BatchWriter(self.database, self.table, pace, self.settings.concurrency)


def put_items(target: BatchTarget, items: Callable[[], Iterator[Found]], context: StepContext) -> Tally:
    """Put all items into a table; ``items`` yields them as often as it is called.

    All are looked at before the first is put (``dynamodb.check_before_import``), so that a bad one changes nothing.

    Raises:
        UnsupportedValue: one has not the table's key; the message names where it is.
        StoreError, InterruptedError: DynamoDB does not take them.
    """
    if target.settings.check_before_import:
        checked = Tally(context.reporter, f"check for {target.table.name}")
        for item, place, size in items():
            target.table.check_key(item, place)
            checked.count(size)
            checked.tell()
    tally = Tally(context.reporter, f"write {target.table.name}")
    with target.writer() as writer:
        for item, place, size in items():
            writer.put(item, place)
            tally.count(size)
            tally.tell()
    return tally


def _read(line: bytes, place: str) -> Item:
    if len(line) >= _LONGEST:
        raise UnsupportedValue(f"{place}: the line is longer than {_LONGEST} bytes, and no item is that large")
    try:
        return read_line(line)
    except UnsupportedValue as error:
        raise UnsupportedValue(f"{place}: {error}") from None


def _open_lines(store: S3Store, uri: str) -> IO[bytes]:
    """Open a file of lines; one whose name ends in ``.gz`` is decompressed on the way."""
    source = store.open_reader(uri)
    if not uri.endswith(".gz"):
        return source
    decompressed: IO[bytes] = _decompressed(source, "rb")
    return decompressed


def _lines(file: IO[bytes], uri: str) -> Iterator[bytes]:
    try:
        while line := file.readline(_LONGEST):
            yield line
    except _BROKEN:
        raise UnsupportedValue(f"{uri} is not a whole gzip file; write it again") from None
