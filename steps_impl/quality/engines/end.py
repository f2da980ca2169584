"""One end of a check: a database as its engine, where it reads in one consistent view, times in UTC.

A transaction that only reads is open from the first look to the last: MySQL's consistent snapshot (InnoDB), Postgres'
REPEATABLE READ, Redshift's BEGIN READ ONLY.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from core.cancelling import on_cancel
from core.errors import ParameterError
from core.settings import Settings
from steps_impl.activities.copying.relations import quote_table
from steps_impl.quality.engines.columns import Column, mysql_column, postgres_column
from steps_impl.quality.sides import POSTGRES_ALIAS
from steps_impl.queries import bare_query
from steps_impl.tables.model import quote
from steps_impl.tables.reader import TokenReader
from stores import mysql
from stores.redshift import Session, Statement, connect

Engine = Literal["mysql", "postgres", "redshift"]
#: The name under which steps know the configuration's ``redshift`` section.
REDSHIFT_ALIAS = "redshift"
#: ``utf8`` is what older servers call ``utf8mb3``: characters of up to three bytes.
_UTF8_COLLATIONS = (
    "SELECT id FROM information_schema.collations WHERE character_set_name IN ('utf8', 'utf8mb3', 'utf8mb4')"
)

#: Types that a database of Postgres has of its own: enumerations, and domains with what they are made of.
_OWN_TYPES = (
    "SELECT format_type(oid, NULL), CASE typtype WHEN 'e' THEN 'enum' ELSE format_type(typbasetype, typtypmod) END "
    "FROM pg_type WHERE typtype IN ('d', 'e')"
)

__all__ = ["Column", "End", "Engine", "open_end"]


class End(Protocol):
    """A database that is asked; every method raises ``StoreError``, or ``InterruptedError`` when cancelled."""

    @property
    def engine(self) -> Engine:
        """Whose SQL it takes."""

    @property
    def where(self) -> str:
        """Server and database, for messages."""

    def quote(self, name: str) -> str:
        """Return a column's name for a statement."""

    def table(self, name: str) -> str:
        """Return a table, ``table`` or ``schema.table``, for a statement."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a query with a small answer; MySQL answers in text."""

    def columns(self, relation: str) -> list[Column]:
        """Return the columns of what stands behind FROM."""


@contextmanager
def open_end(name: str, database: str | None, settings: Settings, cancelled: threading.Event) -> Iterator[End]:
    """Connect to ``redshift``, ``postgres`` or an alias of the configuration's ``mysql`` section.

    Raises:
        ParameterError: the configuration has no such host.
        StoreError: it cannot be reached or refuses.
    """
    check_name(name, settings)
    retries = settings.etl.connection_retries
    if name in settings.mysql:
        with mysql.connect(settings.mysql[name], database, retries) as link, on_cancel(cancelled, link.cancel):
            link.begin_snapshot()
            yield MySqlEnd(link, cancelled)
    elif name == POSTGRES_ALIAS and settings.postgres:
        from stores import postgres

        with (
            postgres.connect(settings.postgres, database, retries) as source,
            on_cancel(cancelled, source.cancel),
        ):
            yield PostgresEnd(source, cancelled)
    elif settings.redshift:
        place = settings.redshift.model_copy(update={"database_name": database} if database else {})
        with connect(place, cancelled=cancelled, retries=retries) as session:
            session.execute(Statement("SET timezone TO 'UTC'", "choose the time zone"))
            session.execute(Statement("BEGIN READ ONLY", "begin a transaction"))
            yield RedshiftEnd(session)


def check_name(name: str, settings: Settings) -> None:
    """Refuse a host that the configuration does not name.

    Raises:
        ParameterError: names the ones that it knows.
    """
    sections = {POSTGRES_ALIAS: settings.postgres, REDSHIFT_ALIAS: settings.redshift}
    known = sorted([*settings.mysql, *(alias for alias, section in sections.items() if section)])
    if name not in known:
        raise ParameterError(f"no host {name!r} in the configuration; it knows: {', '.join(known) or 'none'}")


def relation_of(end: End, table: str | None, sql: str | None, conditions: Sequence[str | None] = ()) -> str:
    """Return what stands behind FROM: a table or a query in brackets, only its rows that fulfil the conditions."""
    inner = end.table(table) if table else f"(\n{bare_for(end, sql or '')}\n) AS looked_at"
    given = [f"(\n{bare_for(end, condition)}\n)" for condition in conditions if condition]
    return f"(SELECT * FROM {inner} WHERE {' AND '.join(given)}) AS part_of_it" if given else inner


def bare_for(end: End, sql: str) -> str:
    """Return a query without what stands behind its end, so that it can stand in brackets.

    Raises:
        ParameterError: nothing is left of it.
    """
    if bare := bare_query(sql, "mysql" if end.engine == "mysql" else "postgres"):
        return bare
    raise ParameterError("a query or condition is empty; give a SELECT statement, or leave the condition out")


def quoted_table(name: str) -> str:
    """Return ``table`` or ``schema.table`` of the warehouse, which knows small letters only, in double quotes."""
    return TokenReader(name).table_name().sql if '"' in name else ".".join(map(quote, name.lower().split(".")))


def _go_on(cancelled: threading.Event) -> None:
    """Ask nothing more once the step is cancelled: only the query that runs by then is broken off."""
    if cancelled.is_set():
        raise InterruptedError


@dataclass(frozen=True)
class MySqlEnd:
    """MySQL or MariaDB."""

    link: mysql.Connection
    cancelled: threading.Event
    engine: Engine = "mysql"

    @property
    def where(self) -> str:
        """Server and database."""
        return self.link.where

    def quote(self, name: str) -> str:
        """Return a name in backquotes."""
        return mysql.quote_name(name)

    def table(self, name: str) -> str:
        """Return a table in backquotes."""
        return mysql.quote_table(name)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a query; every value comes as text."""
        _go_on(self.cancelled)
        return list(self.link.text_rows(sql))

    def columns(self, relation: str) -> list[Column]:
        """Describe the columns as the protocol does, in their own character sets."""
        self.link.rows("SET character_set_results = NULL")
        described = self.link.start_query(f"SELECT * FROM {relation} LIMIT 0")
        self.link.fetch(1)
        self.link.rows("SET character_set_results = utf8mb4")
        utf8 = {int(number) for (number,) in self.link.text_rows(_UTF8_COLLATIONS) if number}
        return [mysql_column(column, utf8) for column in described]


@dataclass(frozen=True)
class PostgresEnd:
    """Postgres."""

    link: Any
    cancelled: threading.Event
    engine: Engine = "postgres"

    @property
    def where(self) -> str:
        """Server and database."""
        return str(self.link.where)

    def quote(self, name: str) -> str:
        """Return a name in double quotes."""
        return quote(name)

    def table(self, name: str) -> str:
        """Return a table in double quotes, spelled as it is given."""
        return quote_table(name)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a query."""
        _go_on(self.cancelled)
        return list(self.link.rows(sql))

    def columns(self, relation: str) -> list[Column]:
        """Describe the columns by ``format_type``."""
        utf8 = self.link.rows("SHOW server_encoding")[0][0] in {"UTF8", "SQL_ASCII"}
        described = self.link.columns(f"SELECT * FROM {relation}")
        own = {str(text_of(name)): str(text_of(meant)) for name, meant in self.link.rows(_OWN_TYPES)}
        return [postgres_column(name, own.get(kind, kind), utf8=utf8) for name, kind in described]


@dataclass(frozen=True)
class RedshiftEnd:
    """The warehouse."""

    session: Session
    engine: Engine = "redshift"

    @property
    def where(self) -> str:
        """Server and database."""
        return self.session.where

    def quote(self, name: str) -> str:
        """Return a name in double quotes."""
        return quote(name)

    def table(self, name: str) -> str:
        """Return a table in double quotes."""
        return quoted_table(name)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a query."""
        return self.session.rows(Statement(sql, "look at rows for a check"))

    def columns(self, relation: str) -> list[Column]:
        """Describe the columns of an empty answer by their type numbers."""
        described = self.session.types(Statement(f"SELECT * FROM {relation} WHERE 1 = 0", "describe columns"))
        return [postgres_column(name, kind) for name, kind in described]


def text_of(value: Any) -> str | None:
    """Return a value of an answer as text, whichever driver brought it."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "backslashreplace")
    return None if value is None else str(value)
