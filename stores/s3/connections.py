"""Keep-alive HTTP(S) connections to S3, through a proxy where the environment names one."""

from __future__ import annotations

import http.client
import select
import ssl
import threading
import weakref

from stores.s3.access import Base

CONNECT_TIMEOUT = 10.0
#: Seconds without a byte until a connection counts as broken.
READ_TIMEOUT = 60.0
_IDLE_LIMIT = 32


class ConnectionPool:
    """Idle connections by address. A connection that the server closed meanwhile is not handed out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: dict[tuple[str, str], list[http.client.HTTPConnection]] = {}
        self._tls: ssl.SSLContext | None = None
        weakref.finalize(self, _close_all, self._idle)

    def take(self, base: Base, certificates: str | None) -> http.client.HTTPConnection:
        """An idle connection to ``base``, or a new one that connects at first use."""
        while connection := self._pop(base):
            if not _closed_by_peer(connection):
                return connection
            connection.close()
        return self._new(base, certificates)

    def give(self, base: Base, connection: http.client.HTTPConnection) -> None:
        """Take back a connection whose last answer was read to its end."""
        with self._lock:
            idle = self._idle.setdefault((base.scheme, base.authority), [])
            if len(idle) < _IDLE_LIMIT:
                idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close every idle connection."""
        with self._lock:
            _close_all(self._idle)

    def _pop(self, base: Base) -> http.client.HTTPConnection | None:
        with self._lock:
            idle = self._idle.get((base.scheme, base.authority))
            return idle.pop() if idle else None

    def _new(self, base: Base, certificates: str | None) -> http.client.HTTPConnection:
        proxy = base.proxy
        host, port = (proxy.host, proxy.port) if proxy else (base.host, base.port)
        if base.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=CONNECT_TIMEOUT)
        connection = http.client.HTTPSConnection(
            host, port, timeout=CONNECT_TIMEOUT, context=self._tls_context(certificates)
        )
        if proxy:
            connection.set_tunnel(base.host, base.port, headers=dict(proxy.headers))
        return connection

    def _tls_context(self, certificates: str | None) -> ssl.SSLContext:
        with self._lock:
            if self._tls is None:
                from botocore.httpsession import where

                self._tls = ssl.create_default_context(cafile=certificates or where())
            return self._tls


def connect(connection: http.client.HTTPConnection) -> None:
    """Open the connection if it is not open yet; afterwards reads may take ``READ_TIMEOUT``."""
    if connection.sock is None:
        connection.connect()
    connection.sock.settimeout(READ_TIMEOUT)


def request_line(base: Base, target: str) -> str:
    """What stands in the request line: the path, or the whole URL when a proxy forwards plain HTTP."""
    return base.url + target if base.scheme == "http" and base.proxy else target


def forwarding_headers(base: Base) -> dict[str, str]:
    """Headers for a proxy that forwards plain HTTP; under TLS it gets them with CONNECT."""
    return dict(base.proxy.headers) if base.scheme == "http" and base.proxy else {}


def _close_all(idle: dict[tuple[str, str], list[http.client.HTTPConnection]]) -> None:
    for connections in idle.values():
        while connections:
            connections.pop().close()


def _closed_by_peer(connection: http.client.HTTPConnection) -> bool:
    if connection.sock is None:
        return True
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))  # an idle server has nothing to say: readable means closed
