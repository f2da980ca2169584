"""A server on loopback that serves each connection on a thread: what the relays and proxies of tests are made of."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress


class Listener:
    """Accepts connections on loopback and serves each on a thread; ``stop`` ends them all."""

    def __init__(self, family: socket.AddressFamily = socket.AF_INET) -> None:
        host = "127.0.0.1" if family == socket.AF_INET else "::1"
        self._socket = socket.create_server((host, 0), family=family)
        self.port: int = self._socket.getsockname()[1]
        self.authority = f"127.0.0.1:{self.port}" if family == socket.AF_INET else f"[::1]:{self.port}"
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def serve(self, client: socket.socket) -> None:
        """Serve one connection; to be written by subclasses."""
        raise NotImplementedError

    def stop(self) -> None:
        """Close everything."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for one in self._open:
            with suppress(OSError):
                socket.socket.shutdown(one, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for one in self._open:
            one.close()

    def join(self, one: socket.socket, other: socket.socket) -> None:
        """Carry bytes both ways until either side ends."""
        back = self._start(lambda: _pump(other, one))
        _pump(one, other)
        back.join()

    def hold(self, one: socket.socket) -> socket.socket:
        """Remember a socket to be closed at the end."""
        self._open.append(one)
        return one

    def _accept(self) -> None:
        with suppress(OSError):  # it is closed by ``stop``
            while True:
                client = self.hold(self._socket.accept()[0])
                self._start(lambda client=client: self._served(client))

    def _served(self, client: socket.socket) -> None:
        with suppress(OSError):  # the client went away, which is what some tests are about
            self.serve(client)
        with suppress(OSError):
            client.close()

    def _start(self, target: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=target, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):  # either side has ended
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        socket.socket.shutdown(sink, socket.SHUT_RDWR)
