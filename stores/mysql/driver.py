"""The drivers: the same small interface over the fastest one that is installed.

Both leave every value as the bytes of the text protocol (``None`` for NULL) and stream: rows stay at the server
until they are fetched. Measured (2 M rows x 13 columns): the C extension reads about ten times faster.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from stores.mysql.columns import Column, column
from stores.mysql.faults import DriverFault
from stores.mysql.tls import CIPHER, Tls

Row = Sequence[bytes | None]
CHARSET = "utf8mb4"
_CLIENT_LOST = 2013


@dataclass(frozen=True)
class Login:
    """Where to connect and as whom; ``timeout`` in seconds is for the connection only."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    database: str | None
    timeout: int
    tls: Tls = field(default_factory=Tls)
    #: Options of PyMySQL beyond these; only it takes them.
    options: Mapping[str, Any] = field(default_factory=dict)
    #: Whether the password is a token, which goes as it is (over TLS); only PyMySQL sends one.
    cleartext: bool = False


class Driver(Protocol):
    """One connection. Every method raises ``DriverFault`` and nothing else."""

    @property
    def thread_id(self) -> int:
        """The server's number of this connection, for KILL."""

    def query(self, statement: str) -> tuple[Column, ...]:
        """Send a statement; return the columns of its result set, or none when it has no result set."""

    def fetch(self, count: int) -> Sequence[Row]:
        """Return up to ``count`` rows; none at the end of the result set."""

    def close(self) -> None:
        """Close the connection, whatever state it is in."""


def open_driver(login: Login) -> Driver:
    """Connect with the fastest driver that takes the options; without TLS only where none is demanded."""
    library = None if login.options or login.cleartext else _compiled_library()
    driver: Driver = CompiledDriver(login, library) if library else PureDriver(login)
    if login.tls.demanded:
        _check_tls(driver, login.tls)
    return driver


def _check_tls(driver: Driver, tls: Tls) -> None:
    driver.query(CIPHER)
    try:
        tls.check(driver.fetch(2)[0][1])
    except DriverFault:
        driver.close()
        raise


@functools.cache
def _compiled_library() -> Any:
    """Return the C extension if it is installed and loads here, else ``None``.

    It brings an OpenSSL of its own under the system's names. Python's ``ssl`` goes first, so that both use one pair of
    libssl and libcrypto: the extension's libssl with the system's libcrypto (loaded by ``hashlib``) does not load.
    """
    importlib.import_module("ssl")
    try:
        return importlib.import_module("_mysql_connector")
    except ImportError:
        return None


class CompiledDriver:
    """The C extension of ``mysql-connector-python`` (extra ``mysql-fast``), without its Python layer."""

    def __init__(self, login: Login, library: Any) -> None:
        self._fault: type[Exception] = library.MySQLError
        plugins = Path(library.__file__).parent / "mysql" / "vendor" / "plugin"
        self._link = library.MySQL(
            charset_name=CHARSET, connection_timeout=login.timeout, use_unicode=False, plugin_dir=str(plugins)
        )
        try:
            self._link.connect(
                host=login.host,
                port=login.port,
                user=login.username,
                password=login.password,
                database=login.database,
                local_infile=False,
                **login.tls.for_compiled(),
            )
        except self._fault as error:
            raise fault_of(error) from None

    @property
    def thread_id(self) -> int:
        """The server's number of this connection."""
        return int(self._link.thread_id())

    def query(self, statement: str) -> tuple[Column, ...]:
        """Send a statement and return the columns of its result set."""
        try:
            self._link.query(statement.encode("utf-8"), raw=True, buffered=False)
            if not self._link.have_result_set:
                return ()
            fields = self._link.fetch_fields()
        except self._fault as error:
            raise fault_of(error) from None
        return tuple(
            column(name, kind, flags, charset, scale) for *_, name, _, charset, _, kind, flags, scale in fields
        )

    def fetch(self, count: int) -> Sequence[Row]:
        """Return up to ``count`` rows; the loop over the rows runs in C."""
        try:
            rows = list(islice(iter(self._link.fetch_row, None), count))
            if len(rows) < count:
                self._link.free_result()
        except self._fault as error:
            raise fault_of(error) from None
        return rows

    def close(self) -> None:
        """Close the connection."""
        self._link.close()


class PureDriver:
    """PyMySQL with all decoders off: always there. Like the C library it encrypts when the server offers it."""

    def __init__(self, login: Login) -> None:
        import pymysql
        from pymysql.converters import encoders
        from pymysql.cursors import SSCursor

        self._fault: type[Exception] = pymysql.err.MySQLError
        encoders_only: dict[Any, Any] = {**encoders}
        options: dict[str, Any] = {"connect_timeout": login.timeout, **login.options}
        try:
            self._link: Any = pymysql.connect(
                host=login.host,
                port=login.port,
                user=login.username,
                password=login.password,
                database=login.database,
                charset=CHARSET,
                use_unicode=False,
                conv=encoders_only,
                cursorclass=SSCursor,
                **{**options, **login.tls.for_pymysql()},
            )
        except (self._fault, OSError, RuntimeError) as error:  # RuntimeError: an authentication that needs a package
            raise fault_of(error) from None
        self._cursor: Any = None

    @property
    def thread_id(self) -> int:
        """The server's number of this connection."""
        return int(self._link.thread_id())

    def query(self, statement: str) -> tuple[Column, ...]:
        """Send a statement and return the columns of its result set."""
        try:
            self._cursor = self._link.cursor()
            self._cursor.execute(statement)
        except (self._fault, OSError) as error:
            raise fault_of(error) from None
        fields = self._cursor._result.fields if self._cursor.description else ()
        return tuple(column(f.name, f.type_code, f.flags, f.charsetnr, f.scale) for f in fields)

    def fetch(self, count: int) -> Sequence[Row]:
        """Return up to ``count`` rows."""
        try:
            rows: Sequence[Row] = self._cursor.fetchmany(count)
        except (self._fault, OSError) as error:
            raise fault_of(error) from None
        return rows

    def close(self) -> None:
        """Close the connection without reading what is left of a result set (PyMySQL would, even on deletion)."""
        if self._cursor is not None and self._cursor._result is not None:
            self._cursor._result.unbuffered_active = False
        self._link._force_close()


def fault_of(error: Exception) -> DriverFault:
    """Return what a driver's exception says: MySQL's error number and text."""
    number = getattr(error, "errno", None)
    text = getattr(error, "msg", None)
    if number is None and len(error.args) > 1:
        number, text = error.args[:2]
    known = isinstance(number, int) and number > 0
    return DriverFault(number if known and number else _CLIENT_LOST, str(text or error))
