r"""Rows out of Postgres: a table or a query through COPY, whose text format is nearly that of lines.

``bytea`` comes in hexadecimal. For MySQL, booleans come as 1 and 0, and times with a zone as UTC without one; MySQL
reads neither ``t`` nor ``+00``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager

from core.cancelling import on_cancel
from steps_impl.activities.copying.lines import Chunk, Place
from steps_impl.activities.copying.pulling import pulled
from steps_impl.activities.copying.rows import Rows
from steps_impl.activities.copying.tables import require_in_catalog
from steps_impl.activities.objects.nodes import AnySqlNode
from steps_impl.activities.servers.server import Engine, Server
from steps_impl.contract import StepContext
from steps_impl.queries import bare_query
from stores.postgres import Connection, connect, quote_name

_MANY = 1 << 30
#: COPY's notations that lines do not have, and what they are there.
_NOTATIONS = (
    (rb"\n", b"\\\n"),
    (rb"\t", b"\\\t"),
    (rb"\r", b"\\\r"),
    (rb"\b", b"\b"),
    (rb"\f", b"\f"),
    (rb"\v", b"\v"),
)


@contextmanager
def postgres_rows(
    node: AnySqlNode, server: Server, context: StepContext, retries: int, target: Engine | None
) -> Iterator[Rows]:
    """Give the rows of a node's ``selectQuery``, or of its table; ``target`` is the engine that they are for.

    Raises:
        StoreError, ParameterError: the server or the query.
    """
    with (
        connect(server.postgres(), None, retries, server.options) as connection,
        on_cancel(context.cancelled, connection.cancel),
    ):
        query = _query(node, connection)
        columns = connection.columns(query)
        statement = selection_of(columns, query, target)
        with closing(_chunks(connection, statement)) as chunks:
            yield Rows(
                chunks,
                tuple(name for name, _ in columns),
                frozenset(place for place, (_, kind) in enumerate(columns) if kind == "bytea"),
                {name: "a bit string of Postgres" for name, kind in columns if kind.lstrip('"').startswith("bit")},
            )


def _query(node: AnySqlNode, connection: Connection) -> str:
    if node.select_query:
        return bare_query(node.select_query, "postgres")
    return f"SELECT * FROM {require_in_catalog(node, connection.rows, connection.where)}"


def selection_of(columns: Sequence[tuple[str, str]], query: str, target: Engine | None) -> str:
    """Return the query as it is, or around it what gives columns another form (by number: names may be there twice)."""
    form = _for_mysql if target == "mysql" else _for_text
    names = [f"c{number}" for number in range(len(columns))]
    forms = [form(name, kind) for name, (_, kind) in zip(names, columns, strict=True)]
    if forms == names:
        return query
    return f"SELECT {', '.join(forms)} FROM (\n{query}\n) AS rows_read ({', '.join(map(quote_name, names))})"


def _for_text(name: str, kind: str) -> str:
    return f"encode({name}, 'hex')" if kind == "bytea" else name


def _for_mysql(name: str, kind: str) -> str:
    if kind == "boolean":
        return f"{name}::int"
    if kind.startswith("timestamp") and kind.endswith("with time zone"):
        return f"{name} AT TIME ZONE 'UTC'"
    return _for_text(name, kind)


def _chunks(connection: Connection, statement: str) -> Generator[Chunk]:
    def push(put: Callable[[tuple[bytes, int]], None]) -> None:
        connection.copy_out(statement, "", lambda text, rows: put((text, rows)), lambda: _MANY)

    place = Place(connection.where)
    for text, rows in pulled(push, "copy-out"):
        yield Chunk(_as_lines(text), place)
        place = Place(place.name, place.number + rows)


def _as_lines(text: bytes) -> bytes:
    if b"\\" not in text:
        return text
    if text.count(b"\\") == text.count(rb"\N"):
        return text
    return rb"\\".join(_without_notations(piece) for piece in text.split(rb"\\"))


def _without_notations(piece: bytes) -> bytes:
    for notation, meaning in _NOTATIONS:
        if notation in piece:
            piece = piece.replace(notation, meaning)
    return piece
