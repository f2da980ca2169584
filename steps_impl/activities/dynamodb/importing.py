"""From files to a table."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import IO, Any, Final

from isal import igzip, isal_zlib

from core.errors import UnsupportedValue
from steps_impl.activities.dynamodb.exporting import Filter, Tally
from steps_impl.activities.dynamodb.lines import read_line
from stores.dynamodb import BatchWriter, Item, Table
from stores.s3 import S3Store

#: Bytes of a line at most: an item has 400 kB, and JSON may need six for one.
_LONGEST = 8 * 1024 * 1024
_decompressed: Final[Any] = igzip.open
#: How a broken gzip file shows.
_BROKEN: Final[Any] = (EOFError, gzip.BadGzipFile, isal_zlib.error)


def read_items(store: S3Store, uris: Sequence[str], cancelled: threading.Event) -> Iterator[tuple[Item, str, int]]:
    """Yield each item of the files with where it is (``s3://…, line 7``) and the bytes of its line.

    Raises:
        UnsupportedValue: a line is no item; the message names file and line.
        NotFound: a file is not there.
        InterruptedError: cancelled.
    """
    for uri in uris:
        with closing(open_lines(store, uri)) as file:
            for number, line in enumerate(_lines(file, uri), start=1):
                if cancelled.is_set():
                    raise InterruptedError("the import was cancelled")
                if line.strip():
                    place = f"{uri}, line {number}"
                    yield _read(line, place), place, len(line)


def check_items(items: Iterator[tuple[Item, str, int]], table: Table, tally: Tally) -> None:
    """Read everything once, and write nothing: what cannot be put is found before anything is.

    Raises:
        UnsupportedValue: a line is no item, or has not the table's key; the message names file and line.
    """
    for item, place, size in items:
        table.check_key(item, place)
        tally.count(size)
        tally.tell()


def put_items(
    items: Iterator[tuple[Item, str, int]], writer: BatchWriter, tally: Tally, keep: Filter | None = None
) -> None:
    """Put all items that ``keep`` takes."""
    for item, place, size in items:
        if keep is None or keep(item):
            writer.put(item, place)
            tally.count(size)
        tally.tell()


def _read(line: bytes, place: str) -> Item:
    if len(line) >= _LONGEST:
        raise UnsupportedValue(f"{place}: the line is longer than {_LONGEST} bytes, and no item is that large")
    try:
        return read_line(line)
    except UnsupportedValue as error:
        raise UnsupportedValue(f"{place}: {error}") from None


def open_lines(store: S3Store, uri: str) -> IO[bytes]:
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
