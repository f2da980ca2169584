"""A session on a server of a definition, whatever its engine."""

from __future__ import annotations

import threading

from steps_impl.activities.servers.server import TITLES, Server
from stores import redshift
from stores.sql import SqlSession

#: Further attempts to connect.
RETRIES = 2


def open_session(server: Server, cancelled: threading.Event, queue: str | None = None) -> SqlSession:
    """Connect; ``queue`` is Redshift's query group.

    Raises:
        AccessDenied, NotFound, StoreUnreachable: user, database or server.
    """
    if server.engine == "mysql":
        from stores.mysql.session import connect_session

        host, options = server.mysql(), server.options
        return connect_session(host, cancelled=cancelled, retries=RETRIES, tls=server.tls, options=options)
    return open_postgres(server, cancelled, queue)


def open_postgres(server: Server, cancelled: threading.Event, queue: str | None = None) -> redshift.Session:
    """Connect to a server that speaks Postgres' protocol; ``queue`` and errors as for ``open_session``."""
    options = dict(server.options)
    timeout = float(options.pop("connect_timeout", 30))
    return redshift.connect(
        server.redshift(),
        cancelled=cancelled,
        query_group=queue if server.engine == "redshift" else None,
        retries=RETRIES,
        timeout=timeout,
        options=options,
        title=TITLES[server.engine],
    )
