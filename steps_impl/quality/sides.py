"""The relations that a check looks at: a MySQL or Postgres source, the warehouse."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.cancelling import on_cancel
from core.errors import ParameterError
from core.settings import Settings
from steps_impl.quality.sampling import Row, Side
from steps_impl.queries import Dialect, bare_query
from steps_impl.tables.model import quote
from stores import mysql
from stores.redshift import Session, Statement

#: The name under which steps know the configuration's ``postgres`` section as a source.
POSTGRES_ALIAS = "postgres"
#: Redshift types whose values MySQL prints with fewer digits than it holds (FLOAT: six).
_FLOATS = ("real", "double")


@dataclass(frozen=True)
class SourceRelation:
    """What is looked at in the source: a table, or the rows of a query."""

    host_name: str
    database: str | None = None
    table: str | None = None
    sql: str | None = None


@contextmanager
def open_source(
    relation: SourceRelation, settings: Settings, cancelled: threading.Event, types: dict[str, str] | None = None
) -> Iterator[Side]:
    """Connect to the source and hand out its side; ``types`` (column → Redshift type) shapes how values are read.

    Once ``cancelled`` is set, the query that runs is broken off.

    Raises:
        ParameterError: the configuration has no such host.
        StoreError: the source cannot be reached or refuses.
    """
    check_known(relation, settings)
    retries = settings.etl.connection_retries
    if relation.host_name in settings.mysql:
        host = settings.mysql[relation.host_name]
        with (
            mysql.connect(host, relation.database, retries) as connection,
            on_cancel(cancelled, connection.cancel),
        ):
            yield mysql_side(connection, relation, types or {})
    elif settings.postgres:
        from steps_impl.activities.copying.relations import quote_table
        from stores import postgres

        with (
            postgres.connect(settings.postgres, relation.database, retries) as link,
            on_cancel(cancelled, link.cancel),
        ):
            rows = _from(relation, quote_table, "postgres")
            yield Side(fetch=link.rows, quote=postgres.quote_name, relation=rows)


def check_known(relation: SourceRelation, settings: Settings) -> None:
    """Refuse a source that the configuration does not name.

    Raises:
        ParameterError: names the ones that it knows.
    """
    known = sorted([*settings.mysql, *([POSTGRES_ALIAS] if settings.postgres else [])])
    if relation.host_name not in known:
        raise ParameterError(
            f"no source {relation.host_name!r} in the configuration; it knows: {', '.join(known) or 'none'}"
        )


def mysql_side(connection: mysql.Connection, relation: SourceRelation, types: dict[str, str]) -> Side:
    """Return the side of an open MySQL connection."""

    def column(name: str) -> str:
        exact = types.get(name, "").startswith(_FLOATS)
        return f"({mysql.quote_name(name)} + 0e0)" if exact else mysql.quote_name(name)

    def fetch(sql: str, values: Sequence[Any]) -> list[Row]:
        return _mysql_rows(connection, fill_in(sql, values))

    return Side(fetch=fetch, quote=column, relation=_from(relation, mysql.quote_table, "mysql"), random="RAND()")


def warehouse_side(session: Session, relation: str) -> Side:
    """Return the side of a relation in the warehouse (a quoted name, or a query in brackets with an alias)."""

    def fetch(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        return session.rows(Statement(sql, "look at rows for a check", tuple(map(_plain, values))))

    return Side(fetch=fetch, quote=quote, relation=relation)


def warehouse_relation(table: str | None, sql: str | None) -> str:
    """Return what stands behind FROM for a table's quoted name or a query."""
    return table if table is not None else f"({bare_query(sql or '', 'postgres')}) AS target_rows"


def fill_in(sql: str, values: Sequence[Any]) -> str:
    """Put values into the ``%s`` of a MySQL statement, as hexadecimal strings that need no escaping."""
    if not values:
        return sql
    literals = map(_mysql_literal, values)
    return re.sub("%[s%]", lambda match: "%" if match[0] == "%%" else next(literals), sql)


def _mysql_literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    text = value.isoformat(sep=" ") if isinstance(value, datetime) else value
    encoded = bytes(text) if isinstance(text, bytes | bytearray | memoryview) else str(text).encode("utf-8")
    return f"_utf8mb4 X'{encoded.hex()}'" if encoded else "''"


def _mysql_rows(connection: mysql.Connection, sql: str) -> list[Row]:
    columns = connection.start_query(sql)
    readers = [_reader(column) for column in columns]
    rows: list[Row] = []
    while batch := connection.fetch(1000):
        rows.extend(
            [None if value is None else read(value) for read, value in zip(readers, row, strict=True)] for row in batch
        )
    return rows


def _reader(column: mysql.Column) -> Callable[[bytes], Any]:
    """Return what makes of a value's bytes what the extract step writes of it."""
    if column.type == "bit":
        return lambda value: int.from_bytes(value, "big")
    return (lambda value: bytes(value).hex()) if column.is_binary else bytes


def _plain(value: Any) -> Any:
    """Text instead of bytes: psycopg2 would send bytes as a binary string."""
    return value.decode("utf-8") if isinstance(value, bytes) else value


def _from(relation: SourceRelation, quote_table: Callable[[str], str], dialect: Dialect) -> str:
    if relation.table:
        return quote_table(relation.table)
    return f"({bare_query(relation.sql or '', dialect)}) AS source_rows"
