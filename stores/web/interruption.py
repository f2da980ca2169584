"""Ends every exchange of one operation at once, also those that wait for the network."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Interruption:
    """After ``interrupt`` no request begins, and those under way lose their connection."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._connections: set[http.client.HTTPConnection] = set()

    def interrupt(self) -> None:
        """Cut every connection in use; threads that wait on one get an ``InterruptedError``."""
        self._event.set()
        with self._lock:
            for connection in self._connections:
                _cut(connection)

    def is_set(self) -> bool:
        """Whether ``interrupt`` was called."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise ``InterruptedError`` after ``interrupt``."""
        if self._event.is_set():
            raise InterruptedError("the transfer was cancelled")

    def wait(self, seconds: float) -> None:
        """Sleep, but no longer than until ``interrupt``, and then raise."""
        self._event.wait(seconds)
        self.check()

    @contextmanager
    def watching(self, connection: http.client.HTTPConnection) -> Iterator[None]:
        """Cut ``connection`` when the interruption comes while the block runs."""
        with self._lock:
            self.check()
            self._connections.add(connection)
        try:
            yield
        finally:
            with self._lock:
                self._connections.discard(connection)


def _cut(connection: http.client.HTTPConnection) -> None:
    sock = connection.sock
    if sock is not None:
        with suppress(OSError):  # it is closed already, which is what is wanted
            socket.socket.shutdown(sock, socket.SHUT_RDWR)  # beneath TLS, whose state belongs to the other thread
