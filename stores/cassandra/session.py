"""One session with a Cassandra cluster: tables as its metadata describe them, prepared statements, requests."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from core.errors import NotFound, StoreError
from core.extras import optional
from core.sections.databases import CassandraSettings
from stores import secrets
from stores.cassandra.faults import translate
from stores.reaching import until_reached

#: Of CQL's native protocol: what every Cassandra from 2.2 speaks, and the first that can leave a column unset.
_PROTOCOL = 4
#: Seconds until a node that does not answer counts as unreachable.
_CONNECT_TIMEOUT = 10


class Session:
    """An open session; requests go to a replica of their partition in the local data centre first."""

    def __init__(self, settings: CassandraSettings) -> None:
        points = ", ".join(settings.contact_points)
        self.where = f"Cassandra {points}:{settings.port} as {settings.username or 'nobody'}"
        self._cluster = _cluster(settings)
        try:
            self._session = self._cluster.connect()
        except Exception as error:
            self._cluster.shutdown()
            raise _typed(error, self.where) from None

    def table(self, keyspace: str, name: str) -> Any:
        """Return the driver's description of a table (``TableMetadata``).

        Raises:
            NotFound: the keyspace or the table is not there, or this user may not see it.
        """
        found = self._cluster.metadata.keyspaces.get(keyspace)
        table = found.tables.get(name) if found else None
        if table is None:
            raise NotFound(f"{self.where}: there is no table {keyspace}.{name}; check its name (in small letters?)")
        return table

    def prepare(self, statement: str) -> Any:
        """Prepare a statement that may be sent twice. Raises ``StoreError``."""
        try:
            prepared = self._session.prepare(statement)
        except Exception as error:
            raise _typed(error, self.where) from None
        prepared.is_idempotent = True
        return prepared

    def send(self, bound: Any, done: Callable[[], None], failed: Callable[[BaseException], None]) -> None:
        """Send a bound statement; ``done`` or ``failed`` is called from a thread of the driver."""
        try:
            future = self._session.execute_async(bound)
        except Exception as error:
            failed(error)
            return
        future.add_callbacks(lambda _: done(), failed)

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        """Run a statement with a small answer and return its rows. Raises ``StoreError``."""
        try:
            return list(self._session.execute(statement, tuple(values) or None))
        except Exception as error:
            raise _typed(error, self.where) from None

    def close(self) -> None:
        """Close all connections."""
        self._cluster.shutdown()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def connect(settings: CassandraSettings, retries: int = 2) -> Session:
    """Open a session.

    Raises:
        AccessDenied: user or password refused; never tried again.
        StoreUnreachable: no node answers after ``retries`` further attempts.
        MissingExtra: the driver is not installed.
    """
    session: Session = until_reached(retries)(Session, settings)
    return session


def _cluster(settings: CassandraSettings) -> Any:
    logging.getLogger("cassandra").addHandler(logging.NullHandler())  # what it meets comes back as errors, too
    cluster, policies = optional("cassandra.cluster"), optional("cassandra.policies")
    local = policies.DCAwareRoundRobinPolicy(local_dc=settings.datacenter or "")
    profile = cluster.ExecutionProfile(
        load_balancing_policy=policies.TokenAwarePolicy(local),
        consistency_level=optional("cassandra").ConsistencyLevel.name_to_value[settings.consistency],
        request_timeout=settings.request_timeout,
    )
    login = None
    if settings.username is not None:
        password = secrets.resolve(settings.password)
        login = optional("cassandra.auth").PlainTextAuthProvider(settings.username, password)
    return cluster.Cluster(
        list(settings.contact_points),
        port=settings.port,
        auth_provider=login,
        ssl_context=_tls(settings),
        ssl_options={"server_hostname": settings.contact_points[0]} if settings.ssl_mode == "verify-full" else None,
        execution_profiles={cluster.EXEC_PROFILE_DEFAULT: profile},
        protocol_version=_PROTOCOL,
        connect_timeout=_CONNECT_TIMEOUT,
        control_connection_timeout=_CONNECT_TIMEOUT,
    )


def _tls(settings: CassandraSettings) -> ssl.SSLContext | None:
    if settings.ssl_mode == "disable":
        return None
    context = ssl.create_default_context(cafile=str(settings.ssl_ca.expanduser()) if settings.ssl_ca else None)
    context.check_hostname = settings.ssl_mode == "verify-full"
    if settings.ssl_mode == "require":
        context.verify_mode = ssl.CERT_NONE
    if settings.ssl_certificate:
        key = str(settings.ssl_key.expanduser()) if settings.ssl_key else None
        context.load_cert_chain(str(settings.ssl_certificate.expanduser()), key)
    return context


def _typed(error: Exception, where: str) -> StoreError:
    return error if isinstance(error, StoreError) else translate(error, where)
