"""Rows into MySQL: the bulk load, or an ``insertQuery`` row by row. All of it is one transaction."""

from __future__ import annotations

from core.cancelling import on_cancel
from steps_impl.activities.copying.columns import chosen_columns
from steps_impl.activities.copying.feed import Feed
from steps_impl.activities.copying.insert_query import InsertQuery, parse_insert_query, require_places
from steps_impl.activities.copying.inserting import Inserter
from steps_impl.activities.copying.mysql_bulk import Column, Engine, Into, columns_of, keep_zeros, load_all
from steps_impl.activities.copying.rows import Rows
from steps_impl.activities.copying.tables import ensure, name_parts
from steps_impl.activities.objects.nodes import AnySqlNode
from steps_impl.activities.servers.server import Server
from steps_impl.contract import StepContext
from steps_impl.queries import bare_query
from stores.mysql.connection import quote_name
from stores.mysql.target import Target, connect, literal
from stores.rejections import Rejected


def load_mysql(node: AnySqlNode, server: Server, rows: Rows, context: StepContext, retries: int) -> Feed:
    """Write all rows, visible at once or not at all; return the feed, which has counted them.

    Raises:
        LoadRejected, UnsupportedValue, SchemaMismatch: a row or a column that does not fit; nothing was written.
        StoreError, ParameterError: the server, the table or the statement.
        InterruptedError: the step was cancelled; nothing was written.
    """
    with (
        connect(server.mysql(), retries, server.tls, server.options) as target,
        on_cancel(context.cancelled, target.cancel),
    ):
        load = _Load(node, target, rows)
        feed = Feed(rows, context, nul=None)
        try:
            load.run(feed)
        except Rejected as rejected:
            raise feed.refusal(rejected, target.where) from None
        if context.cancelled.is_set():
            raise InterruptedError("cancelled before the commit")
        target.commit()
        return feed


class _Load:
    def __init__(self, node: AnySqlNode, target: Target, rows: Rows) -> None:
        self._node, self._target, self._rows = node, target, rows
        self._query = parse_insert_query(node.insert_query, "mysql") if node.insert_query else None

    def run(self, feed: Feed) -> None:
        into = self._of_query(self._query) if self._query else self._of_table()
        if into is not None:
            feed.require_width(len(into.columns), "insertQuery" if self._query else f"the table {into.table}")
        self._target.begin()
        if into is not None:
            load_all(self._target, into, feed, self._rows)
            return
        assert self._query is not None
        Inserter(Engine(self._target), self._query, self._rows.binary or frozenset()).insert(feed)

    def _of_table(self) -> Into:
        table = ensure(self._node, self._find, self._create, self._target.where)
        there = columns_of(self._target, table)
        writable = [column.name for column in there.values() if not column.generated]
        names = chosen_columns(self._rows.names, writable, f"{self._target.where}, table {self._node.table}")
        keep_zeros(self._target)
        return Into(table, tuple(there[name.lower()] for name in names))

    def _of_query(self, query: InsertQuery) -> Into | None:
        """Return where the bulk load goes that does what an ``insertQuery`` does; nothing when there is none."""
        if self._node.create_table_sql and self._node.table:
            ensure(self._node, self._find, self._create, self._target.where)
        require_places(query, self._rows.names, self._node.label)
        if query.table is None:
            return None
        there = columns_of(self._target, query.table)
        names = query.column_names(str.lower) or tuple(there)
        into = Into(query.table, tuple(there.get(name.lower()) or Column(name, "") for name in names))
        from_files = self._rows.binary is None
        special = any(column.is_binary or column.is_bit for column in into.columns)
        return None if (from_files and special) or len(into.columns) != query.places else into

    def _find(self) -> str | None:
        schema, table = name_parts(self._node)
        place = "DATABASE()" if schema is None else literal(schema.encode()).decode()
        found = self._target.rows(
            "SELECT table_schema, table_name FROM information_schema.tables "
            f"WHERE table_schema = {place} AND table_name = {literal(table.encode()).decode()}"
        )
        return ".".join(quote_name(str(part)) for part in found[0]) if found else None

    def _create(self, statement: str) -> None:
        self._target.execute(bare_query(statement, "mysql"))
