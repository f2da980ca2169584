"""One connection to the warehouse that can be stopped at any moment.

psycopg2 holds the interpreter in C while a statement runs, so a signal would wait for the end of a COPY of an hour.
The connection is therefore opened in psycopg2's asynchronous mode and waited for here, in small slices: a signal
handler runs at once, and a cancelled step cancels what the server is doing for it.
"""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg2
import psycopg2.extensions

from core.errors import StoreUnreachable
from core.sections.databases import DatabaseLogin
from stores.logins import Access, logged_in
from stores.postgres_tls import postgres_tls
from stores.reaching import QUICKLY, until_reached
from stores.redshift.faults import connection_fault, statement_fault
from stores.redshift.types import type_modifier
from stores.sql import Statement

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812
    from psycopg2.extensions import cursor as Cursor  # noqa: N812

#: Seconds between two looks at the cancel flag while the server works.
_SLICE = 0.25
#: Seconds that a cancelled statement has to end before the connection is closed without it.
_CANCEL_PATIENCE = 10.0
#: Keeps the connection through the idle time-outs of load balancers while a long statement runs.
_KEEPALIVES = {"keepalives": 1, "keepalives_idle": 60, "keepalives_interval": 15, "keepalives_count": 4}


class Session:
    """A connection; each statement is its own transaction unless it runs inside ``transaction()``."""

    def __init__(self, connection: Connection, where: str, cancelled: threading.Event) -> None:
        self._connection = connection
        self._where = where
        self._cancelled = cancelled

    @property
    def where(self) -> str:
        """Host, port and database, for messages."""
        return self._where

    @property
    def process_id(self) -> int:
        """The number of the server's process for this session (``session_id`` in the ``sys_`` views)."""
        return self._connection.get_backend_pid()

    def execute(self, statement: Statement) -> int:
        """Run a statement and return how many rows it touched (-1 where that has no meaning).

        Raises:
            StoreError: the server refused it or the connection broke.
            InterruptedError: the step was cancelled; the statement was cancelled on the server.
        """
        return self._run(statement).rowcount

    def rows(self, statement: Statement) -> list[tuple[Any, ...]]:
        """Run a query with a small answer and return its rows. Raises as ``execute`` does."""
        return self._run(statement).fetchall()

    def answer(self, statement: Statement) -> list[tuple[Any, ...]]:
        """Run any statement and return its rows; none when it has no answer. Raises as ``execute`` does."""
        cursor = self._run(statement)
        return cursor.fetchall() if cursor.description else []

    def row(self, statement: Statement) -> tuple[Any, ...]:
        """Run a query that answers with exactly one row and return it. Raises as ``execute`` does."""
        (row,) = self.rows(statement)
        return row

    def text_columns(self, statement: Statement) -> list[tuple[str, int]]:
        """Run a query; return names and type numbers of its columns, which ``text_rows`` reads as text from now on."""
        description = self._run(statement).description or ()
        codes = tuple({column.type_code for column in description})
        as_text = psycopg2.extensions.new_type(codes, "TEXT_OF_SERVER", _as_sent)
        psycopg2.extensions.register_type(as_text, self._connection)
        return [(column.name, column.type_code) for column in description]

    def text_rows(self, statement: Statement) -> list[tuple[bytes | None, ...]]:
        """Run a query whose columns ``text_columns`` has seen; return its rows as the server prints them, in UTF-8."""
        return self.rows(statement)

    def prepare(self, quoted: Any) -> None:
        """Let a literal of psycopg2 know how this server reads backslashes."""
        quoted.prepare(self._connection)

    def columns(self, statement: Statement) -> tuple[str, ...]:
        """Run a query and return the names of its columns. Raises as ``execute`` does."""
        return tuple(column.name for column in self._run(statement).description or ())

    def types(self, statement: Statement) -> list[tuple[str, str]]:
        """Run a query; return name and type (as ``format_type`` writes it) of each column. Raises as ``execute``."""
        described = self._run(statement).description or ()
        asked = "SELECT format_type(%s, %s)"
        return [
            (
                column.name,
                str(self.row(Statement(asked, "name a type", (column.type_code, type_modifier(column))))[0]),
            )
            for column in described
        ]

    @contextmanager
    def transaction(self, modes: str = "") -> Iterator[None]:
        """Everything inside becomes visible together at the end, or not at all; ``modes`` follow the word BEGIN.

        A COMMIT that was sent is waited for, cancelled or not: broken off, nobody would know what came of it.
        """
        self.execute(Statement(f"BEGIN {modes}".rstrip(), "begin a transaction"))
        try:
            yield
            self._stop_when_cancelled()
        except BaseException:
            self._roll_back()
            raise
        self._run(Statement("COMMIT", "commit"), to_the_end=True)

    def close(self) -> None:
        """End the session; the server drops its temporary tables."""
        self._connection.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, statement: Statement, *, to_the_end: bool = False) -> Cursor:
        if not to_the_end:
            self._stop_when_cancelled()
        try:
            cursor = self._connection.cursor()
            cursor.execute(statement.text, statement.parameters or None)
            self._wait(to_the_end=to_the_end)
        except psycopg2.Error as error:
            raise statement_fault(error, self._where, statement.doing) from None
        return cursor

    def _wait(self, *, to_the_end: bool) -> None:
        """Wait until the server has answered; on anything else that ends the wait, stop the server too."""
        try:
            while not _ready(self._connection, _SLICE):
                if not to_the_end:
                    self._stop_when_cancelled()
        except psycopg2.Error:
            raise
        except BaseException:
            self._cancel_on_server()
            raise

    def _stop_when_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise InterruptedError

    def _cancel_on_server(self) -> None:
        """Ask the server to stop and wait for its answer, so that it is known to have stopped."""
        deadline = time.monotonic() + _CANCEL_PATIENCE
        try:
            self._connection.cancel()
            while not _ready(self._connection, _SLICE) and time.monotonic() < deadline:
                continue
        except psycopg2.Error:  # "canceling statement due to user request", or the connection is gone: both are the aim
            return

    def _roll_back(self) -> None:
        """Undo without hiding the error that led here: a connection that cannot roll back is closed, which does."""
        try:
            cursor = self._connection.cursor()  # has to live until the answer is there
            cursor.execute("ROLLBACK")
            deadline = time.monotonic() + _CANCEL_PATIENCE
            while not _ready(self._connection, _SLICE) and time.monotonic() < deadline:
                continue
        except psycopg2.Error:
            self._connection.close()


def connect(
    settings: DatabaseLogin,
    *,
    cancelled: threading.Event | None = None,
    query_group: str | None = None,
    retries: int = 2,
    timeout: float = 30.0,
    options: Mapping[str, Any] | None = None,
    title: str = "Redshift",
) -> Session:
    """Open a session; an unreachable warehouse is tried again, a refused password never.

    Args:
        settings: where and as whom, as a section of the configuration says it.
        cancelled: when it is set, the running statement is cancelled and ``InterruptedError`` raised.
        query_group: queue of the workload manager (``SET query_group``).
        retries: further attempts to connect, with growing waits up to 30 seconds.
        timeout: seconds that one attempt may take.
        options: further options of psycopg2, for example ``sslmode``.
        title: what to call the server in messages, when it is another one that speaks Postgres' protocol.

    Raises:
        AccessDenied, NotFound, StoreUnreachable: user, database or warehouse.
    """
    stop = cancelled or threading.Event()

    def open_with(access: Access) -> Session:
        where = f"{title} {access.host}:{access.port}/{access.database}"
        login = {"host": access.host, "port": access.port, "dbname": access.database}
        login |= {"user": access.username, "password": access.password, **postgres_tls(settings)}
        return until_reached(retries, stop, QUICKLY)(
            _connect_once, {**login, **access.options, **(options or {})}, where, stop, timeout
        )

    session = logged_in(settings, None, open_with, _speak)
    if query_group:
        session.execute(Statement("SET query_group TO %s", "choose the queue", (query_group,)))
    return session


def _speak(session: Session, text: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    return session.answer(Statement(text, "run a statement of the hook", tuple(values)))


def _connect_once(options: Mapping[str, Any], where: str, cancelled: threading.Event, timeout: float) -> Session:
    deadline = time.monotonic() + timeout
    try:
        connection = psycopg2.connect(**{"application_name": "ductrunner", "async_": 1, **_KEEPALIVES, **options})
        while not _ready(connection, _SLICE):
            if cancelled.is_set():
                raise InterruptedError
            if time.monotonic() > deadline:
                connection.close()
                raise StoreUnreachable(f"{where} did not answer within {timeout:g} s; check host, port and firewall")
    except psycopg2.Error as error:
        raise connection_fault(error, where, options["user"]) from None
    return Session(connection, where, cancelled)


def _as_sent(value: str | bytes | None, _cursor: object) -> bytes | None:
    return value.encode("utf-8") if isinstance(value, str) else value


def _ready(connection: Connection, seconds: float) -> bool:
    """Go on with the exchange; ``True`` when the server has answered, ``False`` after ``seconds`` without an answer."""
    state = connection.poll()
    if state == psycopg2.extensions.POLL_OK:
        return True
    events = select.POLLOUT if state == psycopg2.extensions.POLL_WRITE else select.POLLIN
    waiter = select.poll()
    waiter.register(connection.fileno(), events)
    waiter.poll(seconds * 1000)
    return False
