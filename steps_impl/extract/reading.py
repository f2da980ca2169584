"""Reads the pieces of an extract, one after the other or with several readers at the same time."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Protocol

from steps_impl.contract import StepContext
from steps_impl.extract.parts import PartWriter, Share


class Tally:
    """Counts what all readers have read, and stops them when the step is cancelled or one of them has failed."""

    def __init__(self, context: StepContext) -> None:
        self._context = context
        self._lock = threading.Lock()
        self.rows = 0
        self.bytes = 0
        self.broken = threading.Event()

    def add(self, rows: int, size: int) -> None:
        """Count a chunk.

        Raises:
            InterruptedError: the step was cancelled, or another reader has failed.
        """
        if self._context.cancelled.is_set() or self.broken.is_set():
            raise InterruptedError("cancelled while reading")
        with self._lock:
            self.rows += rows
            self.bytes += size
            self._context.reporter.progress("read", rows=self.rows, bytes=self.bytes)


class Reader(Protocol):
    """One connection that reads in the snapshot of all others."""

    def read(self, statement: str, share: Share, tally: Tally) -> None:
        """Write all rows of a statement to ``share``."""

    def cancel(self) -> None:
        """Break off what runs, from another thread."""


def read_all(readers: Sequence[Reader], statements: Sequence[str], writer: PartWriter, tally: Tally) -> None:
    """Read all statements; the first failure stops the other readers and is raised."""
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    for statement in statements:
        waiting.put(statement)
    if len(readers) == 1:
        _work(readers[0], waiting, writer, tally)
        return
    with ThreadPoolExecutor(len(readers), thread_name_prefix="read") as pool:
        working = [pool.submit(_work, reader, waiting, writer, tally) for reader in readers]
        done, pending = wait(working, return_when=FIRST_EXCEPTION)
        failed = [one for one in done if one.exception()]
        if failed:
            tally.broken.set()
            for reader in readers:
                reader.cancel()
            wait(pending)
            raise failed[0].exception() or InterruptedError


def _work(reader: Reader, waiting: queue.SimpleQueue[str], writer: PartWriter, tally: Tally) -> None:
    share = writer.share()
    try:
        while True:
            try:
                statement = waiting.get_nowait()
            except queue.Empty:
                return
            reader.read(statement, share, tally)
    finally:
        share.close()
