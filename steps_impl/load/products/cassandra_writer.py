"""Rows on their way to Cassandra: so many at the same time, so many a second; what failed in passing goes again."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from core.errors import LoadRejected
from steps_impl.activities.copying.lines import Place
from stores.cassandra.faults import is_about_a_row, is_passing, translate
from stores.cassandra.session import Session
from stores.dynamodb.pace import Pace

#: Further times that a row is sent, and seconds before the first of them; each later wait is twice as long.
_RETRIES = 6
_FIRST_WAIT = 0.25


@dataclass(frozen=True)
class _Request:
    bound: Any
    place: Callable[[], Place]
    sent: int = 0


class Writer:
    """Sends bound statements. One thread uses it; the driver's threads only count and hand back what failed."""

    def __init__(self, session: Session, limit: int, rate: float | None, cancelled: threading.Event) -> None:
        self._session = session
        self._room = threading.BoundedSemaphore(limit)
        self._limit = limit
        self._pace = Pace(rate) if rate else None
        self._cancelled = cancelled
        self._failed: queue.SimpleQueue[tuple[_Request, BaseException]] = queue.SimpleQueue()
        #: Rows that were sent again.
        self.retries = 0

    def write(self, bound: Any, place: Callable[[], Place]) -> None:
        """Send one row when there is room.

        Raises:
            LoadRejected: the server refused a row that was sent before.
            StoreError: rows could not be written, also not later.
            InterruptedError: the step was cancelled.
        """
        self._again()
        if self._pace:
            self._pace.wait(self._sleep)
            self._pace.charge(1)
        self._send(_Request(bound, place))

    def finish(self) -> None:
        """Wait until every row is written. Raises as ``write`` does."""
        while True:
            self._drain()
            if self._failed.empty():
                return
            self._again()

    def settle(self) -> None:
        """Wait for what is on its way, whatever becomes of it."""
        self._drain()

    def _drain(self) -> None:
        for _ in range(self._limit):
            self._room.acquire()
        for _ in range(self._limit):
            self._room.release()

    def _again(self) -> None:
        """Send again what failed in passing."""
        while not self._failed.empty():
            request, error = self._failed.get()
            if is_about_a_row(error):
                raise LoadRejected(f"{self._session.where} refused {request.place()}: {_reason(error)}") from None
            if not is_passing(error) or request.sent > _RETRIES:
                raise translate(error, self._session.where) from None
            self.retries += 1
            self._sleep(_FIRST_WAIT * 2 ** (request.sent - 1))
            self._send(request)

    def _send(self, request: _Request) -> None:
        while not self._room.acquire(timeout=0.5):
            self._stop_when_cancelled()
        self._stop_when_cancelled(self._room.release)
        sent = replace(request, sent=request.sent + 1)

        def failed(error: BaseException) -> None:
            self._failed.put((sent, error))
            self._room.release()

        self._session.send(request.bound, self._room.release, failed)

    def _sleep(self, seconds: float) -> None:
        if self._cancelled.wait(seconds):
            raise InterruptedError("cancelled while loading")

    def _stop_when_cancelled(self, undo: Callable[[], None] = lambda: None) -> None:
        if self._cancelled.is_set():
            undo()
            raise InterruptedError("cancelled while loading")


def _reason(error: BaseException) -> str:
    """Return why a row was refused; of the server's texts, those that hold no value."""
    text = str(error)
    known = ("Key may not be empty", "Key length", "ttl is too large", "Null value", "out of bounds")
    return next((word.lower() for word in known if word in text), "one of its values does not fit its column")
