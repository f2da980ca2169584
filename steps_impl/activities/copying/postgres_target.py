r"""Rows into Postgres: COPY from the stream of lines, which are its text format. All of it is one transaction.

``bytea`` columns take hexadecimal digits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.cancelling import on_cancel
from steps_impl.activities.copying.columns import chosen_columns
from steps_impl.activities.copying.feed import Feed, binary_treatment
from steps_impl.activities.copying.insert_query import InsertQuery, parse_insert_query, require_places
from steps_impl.activities.copying.inserting import Inserter
from steps_impl.activities.copying.lines import Chunk
from steps_impl.activities.copying.rows import Rows
from steps_impl.activities.copying.tables import ensure, find_in_catalog
from steps_impl.activities.objects.nodes import AnySqlNode
from steps_impl.activities.servers.server import Server
from steps_impl.contract import StepContext
from stores.postgres import quote_name
from stores.postgres_target import Target, connect
from stores.rejections import Rejected

#: The catalogue tells it to those, too, who may insert but not select.
_COLUMNS = """SELECT attname, format_type(atttypid, atttypmod), attgenerated <> '' FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""


@dataclass(frozen=True)
class _Into:
    """Where COPY goes: table and columns as SQL, and names and types of the columns."""

    table: str
    written: str
    columns: tuple[tuple[str, str], ...]


def load_postgres(node: AnySqlNode, server: Server, rows: Rows, context: StepContext, retries: int) -> Feed:
    """Write all rows, visible at once or not at all; return the feed, which has counted them.

    Raises:
        LoadRejected, UnsupportedValue, SchemaMismatch: a row or a column that does not fit; nothing was written.
        StoreError, ParameterError: the server, the table or the statement.
        InterruptedError: the step was cancelled; nothing was written.
    """
    with (
        connect(server.postgres(), retries, server.options) as target,
        on_cancel(context.cancelled, target.cancel),
    ):
        feed = Feed(rows, context, nul="Postgres")
        try:
            _Load(node, target, rows).run(feed)
        except Rejected as rejected:
            raise feed.refusal(rejected, target.where) from None
        if context.cancelled.is_set():
            raise InterruptedError("cancelled before the commit")
        target.commit()
        return feed


class _Load:
    def __init__(self, node: AnySqlNode, target: Target, rows: Rows) -> None:
        self._node, self._target, self._rows = node, target, rows
        self._query = parse_insert_query(node.insert_query, "postgres") if node.insert_query else None

    def run(self, feed: Feed) -> None:
        into = self._of_query(self._query) if self._query else self._of_table()
        if into is None:
            assert self._query is not None
            Inserter(_Engine(self._target), self._query, self._rows.binary or frozenset()).insert(feed)
            return
        feed.require_width(len(into.columns), "insertQuery" if self._query else f"the table {into.table}")
        feed.treat = self._treatment(into)
        statement = f"COPY {into.table} ({into.written}) FROM STDIN"
        self._target.copy_in(statement, (chunk.text for chunk in feed.chunks()))

    def _of_table(self) -> _Into:
        table = ensure(self._node, self._find, self._create, self._target.where)
        kinds = {name: kind for name, kind, generated in self._target.rows(_COLUMNS, (table,)) if not generated}
        names = chosen_columns(self._rows.names, list(kinds), f"{self._target.where}, table {self._node.table}")
        return _Into(table, ", ".join(map(quote_name, names)), tuple((name, kinds[name]) for name in names))

    def _of_query(self, query: InsertQuery) -> _Into | None:
        """Return where the COPY goes that does what an ``insertQuery`` does; nothing when there is none."""
        if self._node.create_table_sql and self._node.table:
            ensure(self._node, self._find, self._create, self._target.where)
        require_places(query, self._rows.names, self._node.label)
        if query.table is None:
            return None
        kinds = {str(name): str(kind) for name, kind, _ in self._target.rows(_COLUMNS, (query.table,))}
        names = query.column_names(str.lower) or tuple(kinds)
        written = query.columns or ", ".join(map(quote_name, names))
        into = _Into(query.table, written, tuple((name, kinds.get(name, "")) for name in names))
        binary = any(kind == "bytea" for _, kind in into.columns)
        return None if (self._rows.binary is None and binary) or len(into.columns) != query.places else into

    def _treatment(self, into: _Into) -> Callable[[Chunk], Chunk]:
        places = frozenset(place for place, (_, kind) in enumerate(into.columns) if kind == "bytea")
        return binary_treatment(self._rows, places, [name for name, _ in into.columns], b"\\x")

    def _find(self) -> str | None:
        return find_in_catalog(self._node, self._target.rows)

    def _create(self, statement: str) -> None:
        self._target.execute(statement, "run createTableSql")


class _Engine:
    """Postgres for ``Inserter``."""

    joins = True
    shares_tails = False

    def __init__(self, target: Target) -> None:
        self._target = target
        self._marked = False

    def literal(self, value: bytes | None, *, binary: bool) -> bytes:
        return literal(value, binary=binary)

    def execute(self, statement: bytes) -> object:
        return self._target.execute(statement, "run insertQuery")

    def mark(self) -> None:
        if self._marked:  # Postgres would keep the former one beneath the new one
            self._target.execute("RELEASE SAVEPOINT batch", "release a savepoint")
        self._target.execute("SAVEPOINT batch", "set a savepoint")
        self._marked = True

    def undo(self) -> None:
        self._target.execute("ROLLBACK TO SAVEPOINT batch", "go back to a savepoint")


def literal(value: bytes | None, *, binary: bool) -> bytes:
    """Return a value as a literal; ``binary`` values are given in hexadecimal."""
    if value is None:
        return b"NULL"
    if binary:
        return b"decode('" + value + b"', 'hex')"
    if b"\\" in value:  # E'…' means the same whatever standard_conforming_strings says
        return b" E'" + value.replace(b"\\", b"\\\\").replace(b"'", b"''") + b"'"
    return b"'" + value.replace(b"'", b"''") + b"'"
