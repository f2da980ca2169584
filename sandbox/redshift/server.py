"""The listening side: one thread for each client."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from dataclasses import dataclass
from typing import Final

from core.errors import StoreError
from sandbox.redshift import protocol
from sandbox.redshift.catalog import Catalog
from sandbox.redshift.protocol import Closed, Wire
from sandbox.redshift.session import Session
from sandbox.redshift.upstream import Upstream

_LOG = logging.getLogger(__name__)
_LONGEST_STARTUP: Final = 10_000  # bytes; Postgres' own limit
_CONNECT_TIMEOUT: Final = 10  # seconds

#: What every session begins with, unless the client says otherwise: a provisioned cluster is serializable and in UTC.
_DEFAULTS: Final = {
    "default_transaction_isolation": "serializable",
    "TimeZone": "UTC",
    "redshift.query_group": "unset",
    "client_connection_check_interval": "1000",  # milliseconds: the statement of a client that is gone ends soon
}
#: What Redshift's own drivers send and Postgres does not know.
_DRIVER_PARAMETERS: Final = frozenset(
    [
        *("client_protocol_version", "driver_version", "driver_discovery_version", "os_version", "plugin_name"),
        *("compression", "app_name", "idp_type", "identity_namespace", "provider_name", "token_type"),
    ]
)


@dataclass(frozen=True)
class Startup:
    """The first message that is not about encryption."""

    version: int
    body: bytes


class Front:
    """Listens for clients of Redshift and gives each its own session in Postgres."""

    def __init__(self, host: str, port: int, upstream: tuple[str, int], tls: ssl.SSLContext | None) -> None:
        self._upstream = upstream
        self._tls = tls
        self._catalog = Catalog(*upstream)
        self._listener = socket.create_server((host, port), backlog=128)

    @property
    def port(self) -> int:
        """The port that clients connect to."""
        return int(self._listener.getsockname()[1])

    def serve(self) -> None:
        """Accept clients until :meth:`close`."""
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._attend, args=(connection,), name="redshift-client", daemon=True).start()

    def close(self) -> None:
        """Accept no more clients."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _attend(self, connection: socket.socket) -> None:
        client = Wire(connection, from_server=False)
        try:
            self._welcome(client)
        except (Closed, ConnectionError):
            return
        except StoreError as error:
            _LOG.exception("a session ended")
            _last_words(client, str(error), "08006")
        except Exception:
            _LOG.exception("a session ended by a fault of the front")
            _last_words(client, "The Redshift front of the sandbox failed; its log says how", "XX000")
        finally:
            client.close()

    def _welcome(self, client: Wire) -> None:
        startup = _read_startup(client, self._tls)
        if startup.version == protocol.CANCEL_REQUEST:
            self._cancel(startup)
            return
        parameters = protocol.read_startup(startup.body)
        upstream = Upstream(self._connect())
        try:
            upstream.send(protocol.startup(startup.version, _for_postgres(parameters)))
            Session(client, upstream, self._catalog, parameters).run()
        finally:
            upstream.close()

    def _cancel(self, startup: Startup) -> None:
        """Pass a request to cancel on; the key in it is Postgres' own."""
        length = (len(startup.body) + 8).to_bytes(4, "big")
        with self._connect() as connection:
            connection.sendall(length + startup.version.to_bytes(4, "big") + startup.body)
            connection.recv(1)  # Postgres closes when the signal is sent

    def _connect(self) -> socket.socket:
        connection = socket.create_connection(self._upstream, timeout=_CONNECT_TIMEOUT)
        connection.settimeout(None)
        return connection


def _read_startup(client: Wire, tls: ssl.SSLContext | None) -> Startup:
    """Read the start-up; a wish for TLS is granted, one for GSSAPI declined: clients go on without."""
    while True:
        length = int.from_bytes(client.read_exactly(4), "big")
        if not 8 <= length <= _LONGEST_STARTUP:
            raise Closed
        version = int.from_bytes(client.read_exactly(4), "big")
        body = client.read_exactly(length - 8)
        if version not in (protocol.SSL_REQUEST, protocol.GSS_REQUEST):
            return Startup(version, body)
        if version == protocol.SSL_REQUEST and tls is not None:
            client.encrypt(tls)
        else:
            client.send(b"N")


def _for_postgres(parameters: dict[str, str]) -> dict[str, str]:
    given = {name: value for name, value in parameters.items() if name not in _DRIVER_PARAMETERS}
    return {**_DEFAULTS, **given}


def _last_words(client: Wire, text: str, code: str) -> None:
    try:
        client.send(protocol.fatal(text, code))
    except Closed:
        return
