"""The status endpoint's connections: one thread, few connections, each with a deadline.

A client that is slow, silent or hostile costs a connection for ``DEADLINE`` seconds, and when all are taken the oldest
one goes: nobody can block the endpoint or make it grow.
"""

from __future__ import annotations

import errno
import selectors
import socket
import time
from collections.abc import Callable
from http import HTTPStatus

from agent import log
from agent.health import http_messages
from agent.health.http_messages import Answer, Request
from agent.health.listen import Place, address_of, listen
from agent.observer import Observer

#: Connections at the same time, and as many wait in the kernel.
CONNECTIONS = 16
#: Seconds for a request and its answer.
DEADLINE = 5.0
#: With nothing to do the thread looks again after this many seconds.
IDLE = 60.0
#: Seconds until the next look when this process has no descriptor left for a client.
NO_DESCRIPTORS = 0.2
_CHUNK = 4096


class _Connection:
    """One client: what it has said, what it still has to be told."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.deadline = time.monotonic() + DEADLINE
        self.heard = b""
        self.to_say = memoryview(b"")


class HttpServer:
    """A side loop that answers with ``respond``."""

    name = "status"

    def __init__(self, place: Place, respond: Callable[[Request], Answer], observer: Observer) -> None:
        self._place = place
        self._respond = respond
        self._observer = observer
        self._connections: list[_Connection] = []  # the oldest first
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ)

    def open(self) -> Place:
        """Begin to listen, before ``run``; return where.

        Raises:
            SettingsError: this machine has no such address.
        """
        self._listening = listen(self._place, CONNECTIONS)
        self._selector.register(self._listening, selectors.EVENT_READ)
        return address_of(self._listening)

    def close(self) -> None:
        """Let ``run`` return."""
        self._wake.send(b".")

    def run(self) -> None:
        """Answer until closed."""
        while True:
            pause = self._patience()
            self._observer.turned(pause + IDLE)
            ready = self._selector.select(pause)
            if any(key.fileobj is self._woken for key, _ in ready):
                break
            for key, _ in ready:
                if key.fileobj is self._listening:
                    self._accept()
                elif key.data in self._connections:  # it may have had to go for a newer one just now
                    self._advance(key.data)
            self._drop_late()
        self._end()

    def _patience(self) -> float:
        if not self._connections:
            return IDLE
        return max(0.0, self._connections[0].deadline - time.monotonic())

    def _accept(self) -> None:
        try:
            sock, _ = self._listening.accept()
        except OSError as error:
            if error.errno in {errno.EMFILE, errno.ENFILE}:
                time.sleep(NO_DESCRIPTORS)  # the client is still there, and this loop must not spin
            return
        sock.setblocking(False)
        if len(self._connections) >= CONNECTIONS:
            self._drop(self._connections[0])
        connection = _Connection(sock)
        self._connections.append(connection)
        self._selector.register(sock, selectors.EVENT_READ, connection)

    def _advance(self, connection: _Connection) -> None:
        try:
            if connection.to_say:
                self._say(connection)
            else:
                self._hear(connection)
        except OSError:
            self._drop(connection)  # the client has gone

    def _hear(self, connection: _Connection) -> None:
        data = connection.sock.recv(_CHUNK)
        connection.heard += data
        if not data:
            self._drop(connection)
        elif http_messages.is_complete(connection.heard):
            connection.to_say = memoryview(self._answer(connection.heard))
            self._selector.modify(connection.sock, selectors.EVENT_WRITE, connection)
        elif len(connection.heard) > http_messages.HEAD_LIMIT:
            answer = http_messages.refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            connection.to_say = memoryview(http_messages.written(answer, head_only=False))
            self._selector.modify(connection.sock, selectors.EVENT_WRITE, connection)

    def _say(self, connection: _Connection) -> None:
        sent = connection.sock.send(connection.to_say)
        connection.to_say = connection.to_say[sent:]
        if not connection.to_say:
            self._drop(connection)

    def _answer(self, data: bytes) -> bytes:
        request, head_only = http_messages.read(data)
        if isinstance(request, Answer):
            return http_messages.written(request, head_only=head_only)
        try:
            answer = self._respond(request)
        except Exception as error:  # a question must not end the agent
            log.failure("status_not_answered", error, path=request.path)
            answer = http_messages.refused(HTTPStatus.INTERNAL_SERVER_ERROR)
        return http_messages.written(answer, head_only=head_only)

    def _drop_late(self) -> None:
        now = time.monotonic()
        for connection in [entry for entry in self._connections if entry.deadline <= now]:
            self._drop(connection)

    def _drop(self, connection: _Connection) -> None:
        self._connections.remove(connection)
        self._selector.unregister(connection.sock)
        connection.sock.close()

    def _end(self) -> None:
        for connection in list(self._connections):
            self._drop(connection)
        self._selector.close()
        for sock in (self._listening, self._wake, self._woken):
            sock.close()
