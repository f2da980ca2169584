"""Rows into Redshift: INSERTs of many rows, in one transaction.

COPY would be faster for many rows, but needs a place in S3 and a role that a CopyActivity does not name; that is what
RedshiftCopyActivity is for (Developer Guide, *RedshiftCopyActivity*).
"""

from __future__ import annotations

import psycopg2
from psycopg2.extensions import QuotedString

from core.errors import StoreError, UnsupportedValue
from steps_impl.activities.copying.columns import chosen_columns
from steps_impl.activities.copying.feed import Feed
from steps_impl.activities.copying.insert_query import InsertQuery, parse_insert_query, require_places
from steps_impl.activities.copying.inserting import Inserter
from steps_impl.activities.copying.rows import Rows
from steps_impl.activities.copying.tables import ensure, find_in_catalog
from steps_impl.activities.objects.nodes import AnySqlNode
from steps_impl.activities.servers.server import Server
from steps_impl.contract import StepContext
from stores.postgres import quote_name
from stores.postgres_target import rejection
from stores.redshift import Session, Statement, connect
from stores.rejections import Rejected

#: The catalogue tells it to those, too, who may insert but not select.
_COLUMNS = """SELECT attname FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""


def load_redshift(node: AnySqlNode, server: Server, rows: Rows, context: StepContext, retries: int) -> Feed:
    """Write all rows, visible at once or not at all; return the feed, which has counted them.

    Raises:
        LoadRejected, UnsupportedValue, SchemaMismatch: a row or a column that does not fit; nothing was written.
        StoreError, ParameterError: the server, the table or the statement.
        InterruptedError: the step was cancelled; nothing was written.
    """
    feed = Feed(rows, context, nul="Redshift")
    if rows.binary:
        named = ", ".join(map(feed.name_of, sorted(rows.binary)))
        raise UnsupportedValue(f"binary columns ({named}) cannot be copied to Redshift; select them as text")
    with connect(server.redshift(), cancelled=context.cancelled, retries=retries, options=server.options) as session:
        try:
            with session.transaction():
                session.execute(Statement("SET timezone TO 'UTC'", "choose UTC"))
                Inserter(_Engine(session), _query(node, rows, session), frozenset()).insert(feed)
        except Rejected as rejected:
            raise feed.refusal(rejected, session.where) from None
    return feed


def _query(node: AnySqlNode, rows: Rows, session: Session) -> InsertQuery:
    def find() -> str | None:
        return find_in_catalog(node, lambda text, values: session.rows(Statement(text, "find a table", values)))

    def create(statement: str) -> None:
        session.execute(Statement(statement, "run createTableSql"))

    if node.insert_query:
        if node.create_table_sql and node.table:
            ensure(node, find, create, session.where)
        query = parse_insert_query(node.insert_query, "postgres")
        require_places(query, rows.names, node.label)
        return query
    table = ensure(node, find, create, session.where)
    described = session.rows(Statement(_COLUMNS, "describe a table", (table,)))
    names = chosen_columns(rows.names, [name for (name,) in described], f"{session.where}, table {node.table}")
    places = ", ".join("?" for _ in names)
    return parse_insert_query(
        f"INSERT INTO {table} ({', '.join(map(quote_name, names))}) VALUES ({places})", "postgres"
    )


class _Engine:
    """Redshift for ``Inserter``: it has no savepoints, so that undoing is a new transaction, in vain from its start."""

    joins = True
    shares_tails = False

    def __init__(self, session: Session) -> None:
        self._session = session

    def literal(self, value: bytes | None, *, binary: bool) -> bytes:  # noqa: ARG002 - bytes are refused before
        if value is None:
            return b"NULL"
        if b"\\" not in value:
            return b"'" + value.replace(b"'", b"''") + b"'"
        quoted = QuotedString(value.decode("utf-8"))
        self._session.prepare(quoted)
        literal: bytes = quoted.getquoted()
        return literal

    def execute(self, statement: bytes) -> object:
        try:
            return self._session.execute(Statement(statement.decode("utf-8"), "insert rows"))
        except StoreError as error:
            cause = error.__context__
            if isinstance(cause, psycopg2.Error) and (rejected := rejection(cause)):
                raise rejected from None
            raise

    def mark(self) -> None:
        return

    def undo(self) -> None:
        self._session.execute(Statement("ROLLBACK", "undo"))
        self._session.execute(Statement("BEGIN", "find the row that was refused"))
