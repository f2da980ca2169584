"""Keep-alive connections over TLS and through proxies, lent to one request at a time."""

from __future__ import annotations

import http.client
import select
import socket
import ssl
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

from core.errors import SettingsError
from stores.web.address import Address
from stores.web.interruption import Interruption

#: Seconds for each of: reaching the server (or proxy), the proxy's answer, the TLS handshake.
CONNECT_TIMEOUT = 10.0
_IDLE_LIMIT = 32

_Idle = dict[Address, list[http.client.HTTPConnection]]


class Connections:
    """Idle connections by address; one that the server has closed meanwhile is not handed out.

    ``bundle`` names the file or directory of certificate authorities to trust (``None``: those of botocore) and is
    called at the first TLS connection; ``read_timeout`` is how many seconds a connection may stay silent.
    """

    def __init__(self, bundle: Callable[[], str | None], read_timeout: float) -> None:
        self._bundle = bundle
        self._read_timeout = read_timeout
        self._lock = threading.Lock()
        self._idle: _Idle = {}
        self._tls: ssl.SSLContext | None = None
        weakref.finalize(self, _close_all, self._idle)

    def take(self, address: Address) -> tuple[http.client.HTTPConnection, bool]:
        """A connection (a new one is opened by ``open``) and whether it has served before."""
        while connection := self._pop(address):
            if not _closed_by_peer(connection):
                return connection, True
            connection.close()
        return self._new(address), False

    def open(self, connection: http.client.HTTPConnection, guard: Interruption) -> socket.socket:
        """Connect if that has not been done; ``guard`` must be watching the connection.

        Raises:
            OSError, http.client.HTTPException: no connection; ``unreachable`` explains it.
            InterruptedError: ``guard`` was interrupted.
        """
        if (kept := connection.sock) is not None:
            return kept
        connection.connect()
        sock: socket.socket = connection.sock
        sock.settimeout(self._read_timeout)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        guard.check()  # an interruption has not cut a socket that was not there yet
        return sock

    def give(self, address: Address, connection: http.client.HTTPConnection) -> None:
        """Take back a connection whose last answer was read to its end."""
        with self._lock:
            idle = self._idle.setdefault(address, [])
            if len(idle) < _IDLE_LIMIT:
                idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close every idle connection."""
        with self._lock:
            _close_all(self._idle)

    def _pop(self, address: Address) -> http.client.HTTPConnection | None:
        with self._lock:
            idle = self._idle.get(address)
            return idle.pop() if idle else None

    def _new(self, address: Address) -> http.client.HTTPConnection:
        proxy = address.proxy
        host, port = (proxy.host, proxy.port) if proxy else (address.host, address.port)
        if address.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=CONNECT_TIMEOUT)
        connection = http.client.HTTPSConnection(host, port, timeout=CONNECT_TIMEOUT, context=self._tls_context())
        if proxy:
            # Python 3.11 sends no Host of its own with CONNECT, and some proxies refuse that.
            bare = f"[{address.host}]" if ":" in address.host else address.host
            headers = {"Host": f"{bare}:{address.port}", **dict(proxy.headers)}
            connection.set_tunnel(address.host, address.port, headers=headers)
        return connection

    def _tls_context(self) -> ssl.SSLContext:
        with self._lock:
            if self._tls is None:
                self._tls = _trusting(self._bundle())
            return self._tls


def _trusting(bundle: str | None) -> ssl.SSLContext:
    if bundle is None:
        from botocore.httpsession import where

        bundle = str(where())
    file, directory = (None, bundle) if Path(bundle).is_dir() else (bundle, None)
    try:
        context = ssl.create_default_context(cafile=file, capath=directory)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"the certificate authorities {bundle} cannot be read ({error.strerror or error}); "
            "check AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE and ca_bundle of the AWS profile"
        ) from None
    # From 3.13 on Python refuses authorities without some extensions, which boto3 and the aws command accept.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _close_all(idle: _Idle) -> None:
    for connections in idle.values():
        while connections:
            connections.pop().close()


def _closed_by_peer(connection: http.client.HTTPConnection) -> bool:
    if connection.sock is None:
        return True
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))  # an idle server has nothing to say: readable means closed
