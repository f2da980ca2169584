"""MySQL and MariaDB as a target: statements in one transaction, and LOAD DATA from a stream of bytes.

``LOAD DATA LOCAL`` is how a client loads fast; the server asks the client for a file, and gets the stream whatever file
it asks for. With LOCAL the server goes on after a row that it cannot convert, as if IGNORE had been said (MySQL
Reference Manual, *LOAD DATA*); such rows come back as warnings and as a count of skipped rows, and are refused here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any

from core.errors import StoreError
from core.sections.databases import MySqlHost
from stores.logins import Access, current_access, logged_in
from stores.mysql.bound import bound
from stores.mysql.connection import CONNECT_TIMEOUT
from stores.mysql.driver import CHARSET, fault_of
from stores.mysql.faults import DriverFault, is_about_a_row, rejection, translate
from stores.mysql.tls import CIPHER, Tls
from stores.reaching import until_reached
from stores.rejections import Rejected

_SESSION = (
    "SET NAMES utf8mb4",
    "SET SESSION time_zone = '+00:00'",
    # Notes tell of roundings that INSERT does as well; without them a warning is a row that was not taken as it is.
    "SET SESSION sql_notes = 0",
    "SET SESSION sql_mode = CONCAT('STRICT_ALL_TABLES,', REPLACE(@@SESSION.sql_mode, 'NO_BACKSLASH_ESCAPES', ''))",
    "SET SESSION net_read_timeout = 3600",
)
_COUNTS = re.compile(rb"Records: (\d+)\s+Deleted: \d+\s+Skipped: (\d+)\s+Warnings: (\d+)")


class Target:
    """An open connection with one transaction; what was not committed when it closes is undone."""

    def __init__(self, access: Access, tls: Tls, options: Mapping[str, Any], renewed: Callable[[], Access]) -> None:
        self._tls = tls
        self._options = options
        self._renewed = renewed
        self.where = f"MySQL {access.host}:{access.port} as {access.username}, database {access.database or '(none)'}"
        self._link = self._open(access)
        try:
            self._check_tls()
            for statement in _SESSION:
                self.execute(statement)
        except StoreError:
            self.close()
            raise

    def _open(self, access: Access) -> Any:
        import pymysql

        from stores.mysql.stream import StreamConnection

        try:
            return StreamConnection(use_unicode=False, conv={}, **pymysql_options(access, self._tls, self._options))
        except (pymysql.err.MySQLError, OSError, RuntimeError) as error:
            raise translate(fault_of(error), self.where) from None

    def _check_tls(self) -> None:
        try:
            if self._tls.demanded:
                self._tls.check(self.rows(CIPHER)[0][1])
        except DriverFault as fault:
            raise translate(fault, self.where) from None

    def execute(self, statement: str | bytes) -> int:
        """Run a statement and return the number of rows that it touched.

        Raises:
            Rejected: a value or a row was refused.
            StoreError: typed by MySQL's error number.
        """
        import pymysql

        text = statement.encode("utf-8") if isinstance(statement, str) else statement
        try:
            return int(self._link.query(text) or 0)
        except InterruptedError:  # of the stream of a load
            raise
        except (pymysql.err.MySQLError, OSError) as error:
            self._raise(fault_of(error))
        raise AssertionError("unreachable")

    def rows(self, statement: str) -> list[tuple[str | None, ...]]:
        """Run a query with a small answer and return its rows as text."""
        self.execute(statement)
        return [
            tuple(None if value is None else value.decode("utf-8") for value in row)
            for row in self._link._result.rows or ()
        ]

    def load(self, statement: str, pieces: Iterable[bytes]) -> int:
        """Run a ``LOAD DATA LOCAL`` over a stream and return the number of rows.

        Raises:
            Rejected: the server did not take a row as it is.
            StoreError: typed by MySQL's error number.
            Exception: whatever ``pieces`` raises; the connection is closed then, which undoes the transaction.
        """
        self._link.stream = pieces
        self.execute(statement)
        counts = _COUNTS.search(self._link._result.message or b"")
        records, skipped, warnings = map(int, counts.groups()) if counts else (self._link.affected_rows(), 0, 0)
        if skipped or warnings or self._link._result.warning_count:
            raise self._first_warning(skipped, warnings)
        return int(records)

    def insert(self, statement: bytes) -> int:
        """Run an INSERT and return the number of rows.

        Raises:
            Rejected: the server did not take a row as it is.
            StoreError: typed by MySQL's error number.
        """
        rows = self.execute(statement)
        if warnings := self._link._result.warning_count:
            raise self._first_warning(0, warnings)
        return rows

    def _first_warning(self, skipped: int, warnings: int) -> Rejected:
        for _, number, text in self.rows("SHOW WARNINGS LIMIT 1"):
            first = rejection(int(number or 0), text or "")
            more = f" (the first of {warnings} warnings about these rows)" if warnings > 1 else ""
            return Rejected(first.row, first.column, first.reason + more)
        return Rejected(None, None, f"{skipped} rows were skipped: their keys are there already")

    def begin(self) -> None:
        """Begin the transaction."""
        self.execute("START TRANSACTION")

    def commit(self) -> None:
        """Make everything since ``begin`` visible at once."""
        self.execute("COMMIT")

    def cancel(self) -> None:
        """Break off the running statement, from another thread; harmless when none runs or the server is gone."""
        try:
            killer = self._open(self._renewed())
            try:
                killer.query(f"KILL QUERY {self._link.thread_id()}".encode())
            finally:
                killer.close()
        except Exception:  # the statement is gone with its server, or ends when this process does
            return

    def close(self) -> None:
        """Close the connection, whatever state it is in."""
        self._link._force_close()

    def __enter__(self) -> Target:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _raise(self, fault: DriverFault) -> None:
        if is_about_a_row(fault.number):
            raise rejection(fault.number, fault.text) from None
        raise translate(fault, self.where) from None


def connect(
    host: MySqlHost, retries: int = 2, tls: Tls | None = None, options: Mapping[str, Any] | None = None
) -> Target:
    """Connect to write; ``options`` are PyMySQL's.

    Raises:
        AccessDenied: the server refuses the user, the password or the database; never tried again.
        StoreUnreachable: no connection after ``retries`` further attempts.
        NotFound: the database is not there.
    """
    demanded = tls or Tls.of(host)

    def open_with(access: Access) -> Target:
        return Target(access, demanded, options or {}, lambda: current_access(host, None))

    target: Target = until_reached(retries)(logged_in, host, None, open_with, _speak)
    return target


def _speak(target: Target, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    return list(target.rows(bound(statement, values)))


def pymysql_options(access: Access, tls: Tls, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``pymysql.connect`` takes."""
    return {
        "host": access.host,
        "port": access.port,
        "user": access.username,
        "password": access.password,
        "database": access.database,
        "connect_timeout": CONNECT_TIMEOUT,
        "charset": CHARSET,
        **access.options,
        **options,
        **tls.for_pymysql(),
    }


def literal(value: bytes | None, *, binary: bool = False) -> bytes:
    """Return a value as a literal of the session above; ``binary`` values are given in hexadecimal."""
    if value is None:
        return b"NULL"
    if binary:
        return b"x'" + value + b"'"
    return b"'" + value.replace(b"\\", b"\\\\").replace(b"'", b"\\'") + b"'"
