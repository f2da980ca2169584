"""What stands between a client and a server when the network or the far end is unwell, switched by the test."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from collections import Counter
from enum import Enum

from sandbox.datapipeline.http import Request, read_request
from tests.listener import Listener

DELAY = 30.0  # seconds
#: Longest wait for the server behind, in seconds: a poll is held for 20.
BEHIND = 60.0
PAGE = b"<!DOCTYPE html><html><body>Please log in to use this network.</body></html>"


class Trouble(Enum):
    """What happens to a request."""

    DROPPED = "dropped"  # the connection is reset, the server hears nothing
    ANSWER_LOST = "its answer lost"  # the server does its work, the connection is reset
    DELAYED = "delayed 30 s"
    ERROR_500 = "answered 500"
    THROTTLED_429 = "answered 429"
    NOISE = "answered with noise"  # bytes that are no HTTP
    PAGE = "answered with a page"  # 200, and a document of somebody else
    HALF = "answered by half"  # the server does its work, the connection ends in the middle of the body


class Relay(Listener):
    """Passes HTTP requests on to ``port``; the first of each kind meets the trouble, or only that of one ``kind``.

    A kind is an operation (of ``X-Amz-Target``), else a method.
    """

    def __init__(self, port: int, trouble: Trouble, kind: str | None = None) -> None:
        self._port = port
        self._trouble = trouble
        self._kind = kind
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        #: How often each kind of request has met the trouble.
        self.met: Counter[str] = Counter()
        super().__init__()
        self.endpoint = f"http://{self.authority}"

    def stop(self) -> None:
        """Delay nothing any more, and close everything."""
        self._stopped.set()
        super().stop()

    def serve(self, client: socket.socket) -> None:
        """Serve the requests of one connection until it ends."""
        with client.makefile("rb") as reader:
            while (request := read_request(reader, client)) is not None:
                if not (self._disturb(client, request) if self._meets(request) else self._pass_on(client, request)):
                    return

    def _meets(self, request: Request) -> bool:
        kind = request.headers.get("x-amz-target", request.method).rpartition(".")[2]
        with self._lock:
            due = self._kind in {kind, None} and not self.met[kind]
            self.met[kind] += due
        return due

    def _pass_on(self, client: socket.socket, request: Request) -> bool:
        client.sendall(self._answer(request))
        return True

    def _disturb(self, client: socket.socket, request: Request) -> bool:
        """Do to the request what is to be done; ``False`` when its connection is over."""
        match self._trouble:
            case Trouble.DELAYED:
                self._stopped.wait(DELAY)
                return self._pass_on(client, request)
            case Trouble.ERROR_500:
                client.sendall(_response(500, b""))
                return True
            case Trouble.THROTTLED_429:
                client.sendall(_response(429, b""))
                return True
            case Trouble.PAGE:
                client.sendall(_response(200, PAGE))
                return True
            case Trouble.NOISE:
                client.sendall(bytes(range(256)) * 8)
            case Trouble.HALF:
                answer = self._answer(request)
                client.sendall(answer[: (answer.index(b"\r\n\r\n") + 4 + len(answer)) // 2])
            case Trouble.ANSWER_LOST:
                self._answer(request)
                reset(client)
            case Trouble.DROPPED:
                reset(client)
        return False

    def _answer(self, request: Request) -> bytes:
        """The answer of the server behind, as bytes."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=BEHIND)
        try:
            passed = {name: value for name, value in request.headers.items() if name not in {"connection", "expect"}}
            connection.connect()
            self.hold(connection.sock)
            connection.request(request.method, request.path, request.body, passed)
            answer = connection.getresponse()
            body = answer.read()
            left_out = {"connection", "content-length", "transfer-encoding"}
            headers = [f"{name}: {value}" for name, value in answer.getheaders() if name.lower() not in left_out]
            length = answer.getheader("Content-Length") if request.method == "HEAD" else str(len(body))
            head = [f"HTTP/1.1 {answer.status} {answer.reason}", *headers, f"Content-Length: {length or 0}"]
            return "\r\n".join([*head, "", ""]).encode("latin-1") + body
        except http.client.HTTPException as error:
            raise ConnectionError(f"the server behind broke off: {error}") from error
        finally:
            connection.close()


class DatabaseRelay(Listener):
    """Carries bytes to ``port``; the first connections meet the trouble."""

    def __init__(self, port: int, trouble: Trouble, times: int = 1) -> None:
        self._port = port
        self._trouble = trouble
        self._left = times
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        super().__init__()

    def stop(self) -> None:
        """Delay nothing any more, and close everything."""
        self._stopped.set()
        super().stop()

    def serve(self, client: socket.socket) -> None:
        """Carry, late or for a while only."""
        with self._lock:
            self._left -= 1
            disturbed = self._left >= 0
        behind = self.hold(socket.create_connection(("127.0.0.1", self._port)))
        if disturbed and self._trouble is Trouble.DELAYED:
            self._stopped.wait(DELAY)
        elif disturbed and self._trouble is Trouble.HALF:
            self._carry_until_copy(client, behind)
            return
        elif disturbed:
            reset(client)
            return
        self.join(client, behind)

    def _carry_until_copy(self, client: socket.socket, behind: socket.socket) -> None:
        """Break the connection in the middle of the load: once COPY has been sent, nothing comes back."""
        back = self._start(lambda: _carry(behind, client))
        while data := client.recv(65536):
            behind.sendall(data)
            if b"COPY" in data:
                break
        reset(client)
        behind.shutdown(socket.SHUT_RDWR)
        back.join()


def _carry(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        return  # either side was reset


def reset(client: socket.socket) -> None:
    """Close so that the peer sees a reset, not an end."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def _response(status: int, body: bytes) -> bytes:
    reason = http.client.responses[status]
    return f"HTTP/1.1 {status} {reason}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
