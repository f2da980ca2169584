"""Postgres as a source: one connection, small queries, bulk reading through COPY, typed errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Self, TypeVar

import psycopg2
import psycopg2.extensions

from core.errors import AccessDenied, NotFound, StoreError, StoreUnreachable
from core.sections.databases import PostgresSettings
from stores.logins import Access, logged_in
from stores.postgres_tls import postgres_tls
from stores.reaching import until_reached
from stores.redshift.faults import statement_fault
from stores.redshift.types import type_modifier

#: Seconds until a server that does not answer counts as unreachable.
CONNECT_TIMEOUT = 10
#: Bytes that COPY's row-sized pieces are gathered into before they are handed on.
PIECE = 256 * 1024
_STREAMED = 2000  # rows fetched at once where they are small
#: Leaves values of all types that psycopg2 would convert as the server prints them.
_AS_TEXT = psycopg2.extensions.new_type(tuple(psycopg2.extensions.string_types), "AS_TEXT", lambda value, _: value)
_SESSION = "-c timezone=UTC -c datestyle=ISO -c extra_float_digits=3 -c intervalstyle=postgres"

_REFUSED = re.compile(r"authentication failed|no pg_hba\.conf entry|no password supplied|role .* does not exist", re.I)
_NO_DATABASE = re.compile(r'database "[^"]*" does not exist', re.IGNORECASE)


class Link:
    """What every connection to Postgres can: break off what runs, and close."""

    def __init__(self, link: psycopg2.extensions.connection, where: str) -> None:
        self._link = link
        self.where = where

    def cancel(self) -> None:
        """Break off the running statement, from another thread; harmless when none runs or the server is gone."""
        try:
            self._link.cancel()
        except psycopg2.Error:
            return  # the statement is gone with its server, or ends when this process does

    def at_once(self, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Run a statement as a transaction of its own and return its rows, if it has any."""
        cursor = self._link.cursor()
        try:
            cursor.execute(statement, tuple(values) or None)
            rows: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
            self._link.commit()
        except psycopg2.Error as error:
            raise statement_fault(error, self.where, "run a statement of the hook") from None
        return rows

    def close(self) -> None:
        """Close the connection."""
        self._link.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


AnyLink = TypeVar("AnyLink", bound=Link)


class Connection(Link):
    """An open connection in one repeatable-read transaction: all its queries see the same state; times are in UTC."""

    def begin_reading(self) -> None:
        """Read only, and one state, from now on."""
        self._link.set_session(isolation_level="REPEATABLE READ", readonly=True)

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a query with a small answer and return its rows.

        Raises:
            StoreError: typed by SQLSTATE; the message names server, database and user.
        """
        rows: list[tuple[Any, ...]] = self._run("run a query", statement, values).fetchall()
        return rows

    def stream_text(self, query: str) -> Iterator[tuple[str | None, ...]]:
        """Run a query and return its rows as the server prints them; they stay there until they are wanted.

        Raises:
            StoreError: as ``rows`` does.
        """
        cursor = self._link.cursor(name="streamed")
        cursor.itersize = _STREAMED
        psycopg2.extensions.register_type(_AS_TEXT, cursor)
        try:
            cursor.execute(query)
            for row in cursor:
                yield tuple(None if value is None else str(value) for value in row)
        except psycopg2.Error as error:
            raise statement_fault(error, self.where, "run a query") from None
        finally:
            cursor.close()

    def export_snapshot(self) -> str:
        """Return the name of this transaction's snapshot, for other connections while this one is open."""
        return str(self.rows("SELECT pg_export_snapshot()")[0][0])

    def take_snapshot(self, name: str) -> None:
        """See what the connection sees that exported this snapshot; before any query."""
        self._run("take a snapshot", "SET TRANSACTION SNAPSHOT %s", (name,))

    def columns(self, query: str) -> list[tuple[str, str]]:
        """Return name and type (as ``format_type`` writes it) of each column of a query, without running it."""
        cursor = self._run("describe a query", f"SELECT * FROM ({query}) AS described LIMIT 0", ())
        described = [(column.name, column.type_code, type_modifier(column)) for column in cursor.description or ()]
        return [(name, str(self.rows("SELECT format_type(%s, %s)", (oid, mod))[0][0])) for name, oid, mod in described]

    def copy_out(self, query: str, options: str, write: Callable[[bytes, int], None], room: Callable[[], int]) -> int:
        """Send the rows of a query through COPY to ``write(lines, rows)``; return their number.

        A call brings about 256 kB, and never more rows than ``room()`` says at its beginning. A connection that
        breaks in the middle raises ``StoreUnreachable``: never a short copy.
        """
        cursor = self._link.cursor()
        gathered = _Gatherer(write, room)
        try:
            cursor.copy_expert(f"COPY ({query}) TO STDOUT {options}", gathered, PIECE)
        except psycopg2.Error as error:
            raise statement_fault(error, self.where, "copy rows out") from None
        gathered.flush()
        return int(cursor.rowcount)

    def _run(self, doing: str, statement: str, values: Sequence[Any]) -> Any:
        cursor = self._link.cursor()
        try:
            cursor.execute(statement, tuple(values) or None)
        except psycopg2.Error as error:
            raise statement_fault(error, self.where, doing) from None
        return cursor


class _Gatherer:
    """A file for COPY, which writes row by row: gathers the rows into larger pieces."""

    def __init__(self, write: Callable[[bytes, int], None], room: Callable[[], int]) -> None:
        self._write = write
        self._room = room
        self._rows: list[bytes] = []
        self._size = 0
        self._limit = room()

    def write(self, row: bytes) -> None:
        self._rows.append(row)
        self._size += len(row)
        if self._size >= PIECE or len(self._rows) >= self._limit:
            self.flush()

    def flush(self) -> None:
        if self._rows:
            self._write(b"".join(self._rows), len(self._rows))
        self._rows, self._size, self._limit = [], 0, self._room()


def connect(
    settings: PostgresSettings,
    database: str | None = None,
    retries: int = 2,
    options: Mapping[str, Any] | None = None,
) -> Connection:
    """Connect to read; ``database`` goes before the one of the settings, ``options`` are psycopg2's.

    Raises:
        AccessDenied: user or password refused; never tried again.
        NotFound: the database is not there.
        StoreUnreachable: no connection after ``retries`` further attempts.
    """
    connection: Connection = until_reached(retries)(open_link, Connection, settings, database, options or {})
    connection.begin_reading()
    return connection


def open_link(
    kind: type[AnyLink], settings: PostgresSettings, database: str | None, options: Mapping[str, Any]
) -> AnyLink:
    """Connect once, with times in UTC and text in UTF-8.

    Raises:
        AccessDenied, NotFound, StoreUnreachable: it did not come about.
    """

    def open_with(access: Access) -> AnyLink:
        where = f"Postgres {access.host}:{access.port} as {access.username}, database {access.database}"
        given = {"connect_timeout": CONNECT_TIMEOUT, **postgres_tls(settings), **access.options, **options}
        given["options"] = f"{_SESSION} {options.get('options', '')}"
        return kind(_connect_once(access, where, given), where)

    return logged_in(settings, database, open_with, _speak)


def _connect_once(access: Access, where: str, options: Mapping[str, Any]) -> psycopg2.extensions.connection:
    try:
        link: psycopg2.extensions.connection = psycopg2.connect(
            host=access.host,
            port=access.port,
            dbname=access.database,
            user=access.username,
            password=access.password,
            application_name="ductrunner",
            **options,
        )
    except psycopg2.Error as error:
        raise _connection_fault(str(error), where) from None
    link.set_client_encoding("UTF8")
    return link


def _speak(link: Link, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    return link.at_once(statement, values)


def _connection_fault(text: str, where: str) -> StoreError:
    if _REFUSED.search(text):
        return AccessDenied(f"{where}: refused; check postgres.username and postgres.password")
    if _NO_DATABASE.search(text):
        return NotFound(f"{where}: no such database; check postgres.database_name")
    return StoreUnreachable(f"{where}: no connection; check host, port and security group")


def quote_name(name: str) -> str:
    """Return an identifier in double quotes."""
    return '"' + name.replace('"', '""') + '"'
