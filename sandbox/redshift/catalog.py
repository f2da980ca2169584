"""The front's own connection to Postgres: installs Redshift's catalog and keeps what COPY leaves behind.

It is a connection beside the client's, so what it writes stays when the client's transaction is rolled back. User
and password are libpq's (``PGUSER``, ``PGPASSWORD`` or ``PGPASSFILE``): a superuser of the embedded Postgres.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from typing import Any

import psycopg2
from psycopg2.extras import execute_values

from core.errors import StoreUnreachable
from sandbox.redshift.faults import Faults
from sandbox.redshift.query_log import QueryLog, rows

_LOCK_KEY = 7_235_201  # any number: the advisory lock under which one front installs at a time


class Catalog:
    """Redshift's catalog in the databases of one Postgres. Safe to use from several threads."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._lock = threading.Lock()
        self._connections: dict[str, Any] = {}
        self._installed: set[str] = set()
        self._logs: dict[str, QueryLog] = {}
        self.faults = Faults()

    def install(self, database: str) -> None:
        """Make sure that ``database`` has Redshift's catalog (some 100 ms the first time)."""
        if database in self._installed:
            return
        script = _script()
        with self._cursor(database) as cursor:
            cursor.execute(
                f"BEGIN; SELECT pg_advisory_xact_lock({_LOCK_KEY}); SET LOCAL client_min_messages = warning;"
                f"SET LOCAL default_transaction_isolation = 'read committed'; {script}; COMMIT"
            )
        self._installed.add(database)

    def next_query_id(self, database: str) -> int:
        """Return a number for a COPY that no other has."""
        with self._cursor(database) as cursor:
            cursor.execute("SELECT nextval('pg_catalog.redshift_query_id')")
            return int(cursor.fetchone()[0])

    def log(self, database: str) -> QueryLog:
        """Return the log of what runs in ``database``."""
        return self._logs.setdefault(database, QueryLog())

    def write_log(self, database: str) -> None:
        """Write into the catalog what has run."""
        entries = self.log(database).take()
        missing = sum(entry.query is None for entry in entries)
        with self._cursor(database) as cursor:
            cursor.execute("SELECT nextval('pg_catalog.redshift_query_id') FROM generate_series(1, %s)", [missing])
            numbers = [int(number) for (number,) in cursor.fetchall()]
        self.keep(database, "redshift_query_log", *rows(entries, database, numbers))

    def keep(self, database: str, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """Add rows to one of the catalog's own tables."""
        if not rows:
            return
        with self._cursor(database) as cursor:
            execute_values(cursor, f"INSERT INTO pg_catalog.{table} ({', '.join(columns)}) VALUES %s", rows)

    @contextmanager
    def _cursor(self, database: str) -> Iterator[Any]:
        with self._lock:
            connection = self._connections.get(database)
            if connection is None or connection.closed:
                connection = self._connections[database] = self._connect(database)
            try:
                with connection.cursor() as cursor:
                    yield cursor
            except psycopg2.Error:
                connection.close()  # the next use connects again: not with a transaction that has failed
                raise

    def _connect(self, database: str) -> Any:
        try:
            connection = psycopg2.connect(host=self.host, port=self.port, dbname=database, connect_timeout=10)
        except psycopg2.OperationalError as error:
            raise StoreUnreachable(
                f"the Redshift front cannot reach Postgres at {self.host}:{self.port}: {str(error).strip()}; "
                "start it, and give the front a superuser in PGUSER and PGPASSWORD"
            ) from error
        connection.autocommit = True
        return connection


def _script() -> str:
    """Return what is installed: the files of the folder ``sql`` in the order of their names."""
    folder = resources.files("sandbox.redshift").joinpath("sql")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return "\n".join(file.read_text() for file in files)
