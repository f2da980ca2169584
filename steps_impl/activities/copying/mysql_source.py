"""Rows out of MySQL: a table or a query, streamed; values as the server prints them.

Binary columns come in hexadecimal, BIT as a number. FLOAT is asked for as ``+ 0e0`` (MySQL prints six digits of it),
for which the query stands in brackets; where it cannot (two columns of one name), the six digits have to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from core.cancelling import on_cancel
from core.errors import StatementFailed, UnsupportedValue
from steps_impl.activities.copying.lines import Chunk, Place
from steps_impl.activities.copying.rows import Rows
from steps_impl.activities.copying.tables import name_parts
from steps_impl.activities.objects.nodes import AnySqlNode
from steps_impl.activities.servers.server import Server
from steps_impl.contract import StepContext
from steps_impl.extract.fetching import Fetcher
from steps_impl.formats.delimited import Row, TabSeparated
from steps_impl.queries import bare_query
from stores.mysql import Column, Connection, connect, quote_name

#: Rows encoded at once.
_ROWS = 2000
_UNREADABLE = ("geometry", "vector", "type ")
_ALL = 18446744073709551615


@contextmanager
def mysql_rows(node: AnySqlNode, server: Server, context: StepContext, retries: int) -> Iterator[Rows]:
    """Give the rows of a node's ``selectQuery``, or of its table.

    Raises:
        StoreError, ParameterError: the server or the query.
        UnsupportedValue: a column that has no text form, by name.
    """
    with (
        connect(server.mysql(), None, retries, server.tls, server.options) as connection,
        on_cancel(context.cancelled, connection.cancel),
    ):
        columns = _start(connection, _query(node))
        names = tuple(column.name for column in columns)
        binary = frozenset(place for place, column in enumerate(columns) if column.is_binary)
        yield Rows(_chunks(connection, columns, context), names, binary)


def _query(node: AnySqlNode) -> str:
    if node.select_query:
        return bare_query(node.select_query, "mysql")
    return f"SELECT * FROM {'.'.join(quote_name(part) for part in name_parts(node) if part)}"


def _start(connection: Connection, query: str) -> tuple[Column, ...]:
    """Begin to read; return the columns as they are in the source."""
    ordered = re.search(r"\border\s+by\b", query, re.IGNORECASE) and not re.search(r"\blimit\b", query, re.IGNORECASE)
    inside = f"{query}\nLIMIT {_ALL}" if ordered else query  # without a limit the order of a query in brackets is lost
    try:
        columns = connection.start_query(f"SELECT * FROM (\n{inside}\n) AS described LIMIT 0")
        connection.fetch(1)
    except StatementFailed:
        return _require_text(connection, connection.start_query(query))
    _require_text(connection, columns)
    if any(column.type == "float" for column in columns):
        query = f"SELECT {', '.join(map(_exact, columns))} FROM (\n{inside}\n) AS rows_read"
    connection.start_query(query)
    return columns


def _exact(column: Column) -> str:
    return quote_name(column.name) + (" + 0e0" if column.type == "float" else "")


def _require_text(connection: Connection, columns: Sequence[Column]) -> tuple[Column, ...]:
    unreadable = [f"{column.name} ({column.type})" for column in columns if column.type.startswith(_UNREADABLE)]
    if unreadable:
        raise UnsupportedValue(
            f"{connection.where}: cannot write {', '.join(unreadable)} as text; select for example ST_AsText(column)"
        )
    if not columns:
        raise StatementFailed(f"{connection.where}: selectQuery returns no rows at all; write a SELECT")
    return tuple(columns)


def _chunks(connection: Connection, columns: Sequence[Column], context: StepContext) -> Iterator[Chunk]:
    fetcher, encoder = Fetcher(connection, columns), TabSeparated()
    plain = frozenset(place for place, column in enumerate(columns) if column.is_plain)
    special = {place: column for place, column in enumerate(columns) if column.is_binary or column.type == "bit"}
    place = Place(connection.where)
    while rows := fetcher.fetch(_ROWS):
        if context.cancelled.is_set():
            raise InterruptedError("cancelled while reading")
        if special:
            rows = [_as_text(row, special) for row in rows]
        yield Chunk(encoder.encode(rows, plain), place)
        place = Place(place.name, place.number + len(rows))


def _as_text(row: Row, special: dict[int, Column]) -> Row:
    values = list(row)
    for place, column in special.items():
        value = values[place]
        if value is not None:
            number = str(int.from_bytes(value, "big")) if column.type == "bit" else value.hex()
            values[place] = number.encode("ascii")
    return values
