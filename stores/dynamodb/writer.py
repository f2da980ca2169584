"""Puts of many items: in batches, several at a time, each item until it is taken."""

from __future__ import annotations

import math
import queue
import random
import threading
import zlib
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from core.errors import RequestRefused, StoreError, Throttled
from stores.dynamodb.client import FIRST_WAIT, LONGEST_WAIT, PATIENCE, DynamoDB
from stores.dynamodb.pace import Pace
from stores.dynamodb.table import Item, Table

#: Items of one BatchWriteItem (API Reference); 25 of the largest items stay below its 16 MB.
BATCH = 25
_WAITING = 2  # batches that may wait for each thread
_BEFORE_VALUE = "numeric value:"


@dataclass
class _Batch:
    """Items by their key, of which a batch may hold each once: what is put later wins."""

    items: dict[tuple[str, ...], tuple[Item, str]] = field(default_factory=dict)


class BatchWriter:
    """Puts items into a table; a context manager that has put all of them when its block ends well.

    Items of one partition key go through the same thread, so that of two with the same key the later one stays. An item
    that DynamoDB refuses ends the work with an error that names where it came from, and cancels ``database``.
    """

    def __init__(self, database: DynamoDB, table: Table, pace: Pace, threads: int = 4) -> None:
        self._database, self._table, self._pace = database, table, pace
        self._size = max(1, min(BATCH, math.floor(pace.rate)))
        self._lock = threading.Lock()
        self._failure: BaseException | None = None
        self._open = [_Batch() for _ in range(threads)]
        self._queues: list[queue.Queue[_Batch | None]] = [queue.Queue(_WAITING) for _ in range(threads)]
        self._threads = [
            threading.Thread(target=self._work, args=(waiting,), name=f"dynamodb-{number}", daemon=True)
            for number, waiting in enumerate(self._queues)
        ]
        #: Items that have been put.
        self.written = 0

    def put(self, item: Item, source: str) -> None:
        """Put an item, soon; ``source`` says in errors where it came from (``s3://…/x, line 7``).

        Raises:
            UnsupportedValue: it does not have the table's key.
            StoreError: an item that was put earlier could not be written.
        """
        key = self._table.check_key(item, source)
        number = zlib.crc32(key[0].encode()) % len(self._queues)
        batch = self._open[number]
        batch.items[key] = (item, source)
        if len(batch.items) >= self._size:
            self._open[number] = _Batch()
            self._hand_over(number, batch)

    def __enter__(self) -> BatchWriter:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._fail(error)
        for waiting, batch in zip(self._queues, self._open, strict=True):
            waiting.put(batch)
            waiting.put(None)
        for thread in self._threads:
            thread.join()
        if kind is None:
            self._check()

    def _hand_over(self, number: int, batch: _Batch) -> None:
        self._check()
        self._queues[number].put(batch)

    def _check(self) -> None:
        if self._failure:
            raise self._failure

    def _fail(self, error: BaseException | None) -> None:
        """Keep the first failure, and end what the other threads wait for: nothing more will be put."""
        with self._lock:
            self._failure = self._failure or error
        self._database.cancel()

    def _work(self, waiting: queue.Queue[_Batch | None]) -> None:
        """Write what waits; after a failure only take it away, so that nobody waits for room."""
        while (batch := waiting.get()) is not None:
            if self._failure:
                continue
            try:
                self._write(batch)
            except BaseException as error:
                self._fail(error)

    def _write(self, batch: _Batch) -> None:
        entries = list(batch.items.values())
        try:
            self._put_all([item for item, _ in entries])
        except RequestRefused:
            self._write_singly(entries)
        with self._lock:
            self.written += len(entries)

    def _write_singly(self, entries: list[tuple[Item, str]]) -> None:
        """Find the item for which a batch was refused, and put the others."""
        for item, source in entries:
            try:
                self._put_all([item])
            except RequestRefused as error:
                raise RequestRefused(f"{source}: {_without_values(str(error))}") from None

    def _put_all(self, items: list[Item]) -> None:
        """Put items until all are taken. They are taken one by one, so that there is progress as long as any is."""
        requests: list[dict[str, Any]] = [{"PutRequest": {"Item": item}} for item in items]
        refused_since, wait = None, FIRST_WAIT
        while requests:
            left = self._put_some(requests)
            if len(left) < len(requests):
                refused_since, wait = None, FIRST_WAIT
            elif refused_since is None:
                refused_since = self._database.monotonic()
            elif self._database.monotonic() - refused_since > PATIENCE:
                raise Throttled(
                    f"the table {self._table.name} took no item for {PATIENCE:.0f} s; give it more capacity"
                )
            if left:
                self._database.sleep(random.uniform(0, wait))  # noqa: S311  # jitter, not a secret
                wait = min(2 * wait, LONGEST_WAIT)
            requests = left

    def _put_some(self, requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
        self._pace.wait(self._database.sleep)
        name = self._table.name
        answer = self._database.call(
            "BatchWriteItem", {"RequestItems": {name: requests}, "ReturnConsumedCapacity": "TOTAL"}
        )
        self._pace.charge(sum(float(entry.get("CapacityUnits", 0)) for entry in answer.get("ConsumedCapacity", ())))
        left = answer.get("UnprocessedItems", {}).get(name, [])
        if not isinstance(left, list):
            raise StoreError("what answered BatchWriteItem is not DynamoDB; check the endpoint")
        return left


def _without_values(message: str) -> str:
    """Cut off the value that DynamoDB's message repeats of an item: it is not for logs."""
    before, marker, _ = message.partition(_BEFORE_VALUE)
    return before + marker.rstrip(":")
