"""A connection to one MySQL server: retried while it cannot be reached, never when it refuses the password."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

from core.errors import DuctrunnerError, ParameterError, StoreError
from core.sections.databases import MySqlHost
from stores.logins import Access, current_access, logged_in
from stores.mysql.bound import bound
from stores.mysql.columns import Column
from stores.mysql.driver import Driver, Login, Row, open_driver
from stores.mysql.faults import DriverFault, translate
from stores.mysql.tls import Tls
from stores.reaching import until_reached

#: Seconds until a server that does not answer counts as unreachable.
CONNECT_TIMEOUT = 10
#: Seconds that the server waits for a reader who is busy writing to S3 before it drops the connection.
_SERVER_PATIENCE = 3600
_SESSION = (
    "SET NAMES utf8mb4",
    "SET SESSION time_zone = '+00:00'",
    f"SET SESSION net_write_timeout = {_SERVER_PATIENCE}",
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
)


class Connection:
    """An open connection: TIMESTAMPs in UTC, text in utf8mb4, every value as bytes."""

    def __init__(self, login: Login, renewed: Callable[[], Login]) -> None:
        self._login = login
        self._renewed = renewed
        self.where = f"MySQL {login.host}:{login.port} as {login.username}, database {login.database or '(none)'}"
        self._driver = self._open(login)

    @property
    def database(self) -> str | None:
        """The database of unqualified table names."""
        return self._login.database

    def _open(self, login: Login) -> Driver:
        try:
            return open_driver(login)
        except DriverFault as fault:
            raise translate(fault, self.where) from None

    def start_query(self, statement: str) -> tuple[Column, ...]:
        """Send a statement; its rows are then read with ``fetch`` and stay at the server until then.

        Raises:
            StoreError: typed by MySQL's error number; the message names server, user and database.
        """
        try:
            return self._driver.query(statement)
        except DriverFault as fault:
            raise translate(fault, self.where) from None

    def fetch(self, count: int) -> Sequence[Row]:
        """Return up to ``count`` rows of the running query; none at its end. A broken stream raises, never ends."""
        try:
            return self._driver.fetch(count)
        except DriverFault as fault:
            raise translate(fault, self.where) from None

    def rows(self, statement: str) -> list[tuple[bytes | None, ...]]:
        """Run a statement and return all its rows; for small results only."""
        if not self.start_query(statement):
            return []
        return [tuple(row) for batch in self._batches() for row in batch]

    def _batches(self) -> Iterator[Sequence[Row]]:
        while batch := self.fetch(1000):
            yield batch

    def text_rows(self, statement: str) -> list[tuple[str | None, ...]]:
        """Run a statement and return all its rows, decoded from UTF-8."""
        return [
            tuple(None if value is None else value.decode("utf-8") for value in row) for row in self.rows(statement)
        ]

    def begin_snapshot(self) -> None:
        """Begin a read-only transaction that sees one state of all transactional tables until the connection ends."""
        self.start_query("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")

    def cancel(self) -> None:
        """Break off the running statement, from another thread; harmless when none runs or the server is gone."""
        try:
            killer = open_driver(self._renewed() if self._login.cleartext else self._login)
            try:
                killer.query(f"KILL QUERY {self._driver.thread_id}")
            finally:
                killer.close()
        except (DriverFault, DuctrunnerError):
            return  # the statement is gone with its server, or ends when this process does

    def close(self) -> None:
        """Close the connection; what it has not read yet is dropped."""
        self._driver.close()

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def connect(
    host: MySqlHost,
    database: str | None = None,
    retries: int = 2,
    tls: Tls | None = None,
    options: Mapping[str, Any] | None = None,
) -> Connection:
    """Connect to a server of the configuration; ``database`` goes before the one of its entry.

    ``options`` are PyMySQL's (time-outs, first statement). ``retries`` further attempts are made while the
    server cannot be reached, after about 1, 2, 4 … seconds.

    Raises:
        AccessDenied: the server refuses the user, the password or the database; never tried again.
        StoreUnreachable: no connection after the last attempt.
        NotFound: the database is not there.
    """

    def login(access: Access) -> Login:
        return Login(
            host=access.host,
            port=access.port,
            username=access.username,
            password=access.password,
            database=access.database,
            timeout=CONNECT_TIMEOUT,
            tls=tls or Tls.of(host),
            options={**access.options, **(options or {})},
            cleartext=host.authentication == "iam",
        )

    def renewed() -> Login:
        return login(current_access(host, database))

    connection: Connection = until_reached(retries)(
        logged_in, host, database, lambda access: Connection(login(access), renewed), _speak
    )
    try:
        for statement in _SESSION:
            connection.start_query(statement)
    except StoreError:
        connection.close()
        raise
    return connection


def _speak(connection: Connection, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    return list(connection.text_rows(bound(statement, values)))


def quote_name(name: str) -> str:
    """Return an identifier in backquotes."""
    return "`" + name.replace("`", "``") + "`"


_TABLE = re.compile(r"(?:(?P<database>`(?:[^`]|``)+`|[^`.]+)\.)?(?P<table>`(?:[^`]|``)+`|[^`.]+)")


def split_table(name: str) -> tuple[str | None, str]:
    """Split ``table``, ``database.table`` or their forms in backquotes into database and table.

    Raises:
        ParameterError: it is neither; a name with a dot or a backquote in it must stand in backquotes.
    """
    match = _TABLE.fullmatch(name)
    if not match:
        raise ParameterError(f"{name!r} is no table name; write table, database.table or `odd.name`")
    database = match["database"]
    return (_bare(database) if database else None), _bare(match["table"])


def quote_table(name: str) -> str:
    """Return a table name, with its database if it has one, quoted for a statement."""
    database, table = split_table(name)
    return ".".join(quote_name(part) for part in (database, table) if part)


def _bare(name: str) -> str:
    return name[1:-1].replace("``", "`") if name.startswith("`") else name
