"""Rows out of Redshift: a table or a query through a cursor, since Redshift has no COPY to its client.

Values come as the server prints them. A cursor needs a transaction, and the leader node keeps its rows (Database
Developer Guide, *DECLARE*): large results are for UNLOAD, which RedshiftCopyActivity uses.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from steps_impl.activities.copying.lines import Chunk, Place
from steps_impl.activities.copying.postgres_source import selection_of
from steps_impl.activities.copying.rows import Rows
from steps_impl.activities.copying.tables import require_in_catalog
from steps_impl.activities.objects.nodes import AnySqlNode
from steps_impl.activities.servers.server import Engine, Server
from steps_impl.contract import StepContext
from steps_impl.formats.delimited import TabSeparated
from steps_impl.queries import bare_query
from stores.redshift import Session, Statement, connect

#: Rows of one FETCH; single-node clusters allow 1000 at most.
_ROWS = 1000
#: Numbers of the types that MySQL reads in another form.
_KINDS = {16: "boolean", 1184: "timestamp with time zone"}


@contextmanager
def redshift_rows(
    node: AnySqlNode, server: Server, context: StepContext, retries: int, target: Engine | None
) -> Iterator[Rows]:
    """Give the rows of a node's ``selectQuery``, or of its table; ``target`` is the engine that they are for.

    Raises:
        StoreError, ParameterError: the server or the query.
    """
    with (
        connect(server.redshift(), cancelled=context.cancelled, retries=retries, options=server.options) as session,
        session.transaction(),
    ):
        query = _query(node, session)
        session.execute(Statement("SET timezone TO 'UTC'", "choose UTC"))
        described = session.text_columns(
            Statement(f"SELECT * FROM (\n{query}\n) AS described LIMIT 0", "describe a query")
        )
        columns = [(name, _KINDS.get(code, "")) for name, code in described]
        selection = selection_of(columns, query, target)
        session.text_columns(Statement(f"SELECT * FROM (\n{selection}\n) AS described LIMIT 0", "describe a query"))
        session.execute(Statement(f"DECLARE rows_read CURSOR FOR {selection}", "open a cursor"))
        yield Rows(_chunks(session), tuple(name for name, _ in columns), frozenset())


def _query(node: AnySqlNode, session: Session) -> str:
    if node.select_query:
        return bare_query(node.select_query, "postgres")

    def rows(text: str, values: tuple[object, ...]) -> list[tuple[object, ...]]:
        return session.rows(Statement(text, "find a table", values))

    return f"SELECT * FROM {require_in_catalog(node, rows, session.where)}"


def _chunks(session: Session) -> Iterator[Chunk]:
    encoder = TabSeparated()
    fetch = Statement(f"FETCH FORWARD {_ROWS} FROM rows_read", "read rows")
    for number in count(1, _ROWS):
        rows = session.text_rows(fetch)
        if not rows:
            return
        yield Chunk(encoder.encode(rows), Place(session.where, number))
