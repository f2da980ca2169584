"""One connection to a MySQL server for statements that change something; it can be stopped at any moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pymysql

from core.cancelling import on_cancel
from core.errors import DuctrunnerError
from core.sections.databases import MySqlHost
from stores.logins import Access, current_access, logged_in
from stores.mysql.faults import DriverFault, translate
from stores.mysql.target import pymysql_options
from stores.mysql.tls import Tls
from stores.reaching import QUICKLY, until_reached
from stores.sql import Statement

_LOST = 2013


class MySqlSession:
    """A connection; each statement is its own transaction unless it runs inside ``transaction()``."""

    def __init__(self, link: Any, open_killer: Callable[[], Any], where: str, cancelled: threading.Event) -> None:
        self._link = link
        self._open_killer = open_killer
        self._where = where
        self._cancelled = cancelled

    @property
    def where(self) -> str:
        """Host, port and database, for messages."""
        return self._where

    def execute(self, statement: Statement) -> int:
        """Run a statement, read past its result, and return how many rows it touched.

        Raises:
            StoreError: the server refused it or the connection broke.
            InterruptedError: the step was cancelled; the statement was cancelled on the server.
        """
        return int(self._run(statement).rowcount)

    def rows(self, statement: Statement) -> list[tuple[Any, ...]]:
        """Run a query with a small answer and return its rows. Raises as ``execute`` does."""
        return list(self._run(statement).fetchall())

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside becomes visible together at the end, or not at all (a DDL statement commits by itself)."""
        self.execute(Statement("START TRANSACTION", "begin a transaction"))
        try:
            yield
            self._stop_when_cancelled()
        except BaseException:
            self._roll_back()
            raise
        self._call(self._link.commit, "commit")

    def close(self) -> None:
        """End the session; the server rolls back what was not committed."""
        self._link._force_close()

    def __enter__(self) -> MySqlSession:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, statement: Statement) -> Any:
        self._stop_when_cancelled()
        cursor = self._link.cursor()
        with on_cancel(self._cancelled, self._kill_query):
            self._call(lambda: cursor.execute(statement.text, statement.parameters or None), statement.doing)
            while self._call(cursor.nextset, statement.doing):
                continue
        self._stop_when_cancelled()
        return cursor

    def _kill_query(self) -> None:
        try:
            killer = self._open_killer()
            killer.cursor().execute(f"KILL QUERY {self._link.thread_id()}")
            killer.close()
        except (pymysql.err.MySQLError, OSError, DuctrunnerError):
            return  # the statement is gone with its server, or ends when this process does

    def _call(self, action: Callable[[], Any], doing: str) -> Any:
        try:
            return action()
        except (pymysql.err.MySQLError, OSError) as error:
            self._stop_when_cancelled()
            raise translate(_fault(error), f"{self._where}: could not {doing}") from None

    def _roll_back(self) -> None:
        try:
            self._link.rollback()
        except (pymysql.err.MySQLError, OSError):
            self.close()

    def _stop_when_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise InterruptedError


def connect_session(
    host: MySqlHost,
    *,
    cancelled: threading.Event | None = None,
    retries: int = 2,
    tls: Tls | None = None,
    options: Mapping[str, Any] | None = None,
) -> MySqlSession:
    """Open a session; an unreachable server is tried again, a refused password never.

    Args:
        host: where and as whom; the password may be a reference (``stores.secrets``).
        cancelled: when it is set, the running statement is cancelled and ``InterruptedError`` raised.
        retries: further attempts to connect, with growing waits up to 30 seconds.
        tls: what is demanded of the encryption.
        options: further options of PyMySQL, for example ``read_timeout``.

    Raises:
        AccessDenied, NotFound, StoreUnreachable: user, database or server.
    """
    stop = cancelled or threading.Event()
    demanded = tls or Tls.of(host)

    def open_with(access: Access) -> MySqlSession:
        where = f"MySQL {access.host}:{access.port} as {access.username}, database {access.database or '(none)'}"
        link = _open_link(access, where, demanded, options or {})
        return MySqlSession(link, lambda: _open_link(current_access(host, None), where, demanded, {}), where, stop)

    session: MySqlSession = until_reached(retries, stop, QUICKLY)(logged_in, host, None, open_with, _speak)
    return session


def _open_link(access: Access, where: str, tls: Tls, options: Mapping[str, Any]) -> Any:
    try:
        return pymysql.connect(**pymysql_options(access, tls, {"autocommit": True, **options}))
    except (pymysql.err.MySQLError, OSError, RuntimeError) as error:  # RuntimeError: a way to log in is missing
        raise translate(_fault(error), where) from None


def _speak(session: MySqlSession, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    return session.rows(Statement(statement, "run a statement of the hook", tuple(values)))


def _fault(error: Exception) -> DriverFault:
    number, *words = error.args or (0,)
    known = isinstance(number, int) and number > 0
    return DriverFault(number if known else _LOST, str(words[0]) if known and words else str(error))
