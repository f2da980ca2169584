r"""Rows into MySQL: LOAD DATA LOCAL from the stream of lines, or INSERTs of many rows where the server forbids it.

All of it is one transaction. Lines are what ``FIELDS TERMINATED BY '\t' ESCAPED BY '\\'`` reads. Binary columns take
hexadecimal digits (``UNHEX``), BIT columns a number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.cancelling import on_cancel
from core.errors import UnsupportedValue
from steps_impl.activities.copying.columns import chosen_columns
from steps_impl.activities.copying.feed import Feed, binary_treatment
from steps_impl.activities.copying.insert_query import InsertQuery, parse_insert_query, require_places
from steps_impl.activities.copying.inserting import Inserter
from steps_impl.activities.copying.lines import Chunk
from steps_impl.activities.copying.rows import Rows
from steps_impl.activities.copying.tables import ensure, name_parts
from steps_impl.activities.objects.nodes import AnySqlNode
from steps_impl.activities.servers.server import Server
from steps_impl.contract import StepContext
from steps_impl.queries import bare_query
from stores.mysql.connection import quote_name
from stores.mysql.target import Target, connect, literal
from stores.rejections import Rejected

#: Bytes of one LOAD DATA statement: its warnings tell of rows while their lines are still here.
_WINDOW = 12 << 20


@dataclass(frozen=True)
class Column:
    """A column as SHOW COLUMNS tells it: ``varbinary(9)``, ``bit(1)``; ``extra`` tells what is generated."""

    name: str
    type: str
    extra: str = ""

    @property
    def is_binary(self) -> bool:
        """Whether it takes bytes."""
        return self.type.startswith(("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"))

    @property
    def is_bit(self) -> bool:
        """Whether it takes a number of bits."""
        return self.type.startswith("bit")

    @property
    def generated(self) -> bool:
        """Whether the server makes its values (MySQL 8 calls a default that is an expression DEFAULT_GENERATED)."""
        return "GENERATED" in self.extra.upper().replace("DEFAULT_GENERATED", "")


@dataclass(frozen=True)
class _Into:
    """Where a bulk load goes: table and columns as SQL, and the columns as the server describes them."""

    table: str
    columns: tuple[Column, ...]


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
        if into is not None and self._may_load():
            self._bulk(into, feed)
            return
        self._target.begin()
        if into is None:
            assert self._query is not None
            Inserter(_Engine(self._target), self._query, self._rows.binary or frozenset()).insert(feed)
            return
        feed.treat = self._treatment(into)
        Inserter(_Engine(self._target), _insert_of(into), _binary(into.columns)).insert(feed)

    def _bulk(self, into: _Into, feed: Feed) -> None:
        self._target.begin()
        feed.treat = self._treatment(into)
        statement = _load_statement(into)
        for window in feed.windows(_WINDOW):
            self._target.load(statement, window)

    def _may_load(self) -> bool:
        return self._target.rows("SELECT @@GLOBAL.local_infile")[0][0] == "1"

    def _of_table(self) -> _Into:
        table = ensure(self._node, self._find, self._create, self._target.where)
        there = self._columns(table)
        writable = [column.name for column in there.values() if not column.generated]
        names = chosen_columns(self._rows.names, writable, f"{self._target.where}, table {self._node.table}")
        # A zero is a value; MySQL would number the row anew.
        self._target.execute("SET SESSION sql_mode = CONCAT(@@SESSION.sql_mode, ',NO_AUTO_VALUE_ON_ZERO')")
        return _Into(table, tuple(there[name.lower()] for name in names))

    def _of_query(self, query: InsertQuery) -> _Into | None:
        """Return where the bulk load goes that does what an ``insertQuery`` does; nothing when there is none."""
        if self._node.create_table_sql and self._node.table:
            ensure(self._node, self._find, self._create, self._target.where)
        require_places(query, self._rows.names, self._node.label)
        if query.table is None:
            return None
        there = self._columns(query.table)
        names = query.column_names(str.lower) or tuple(there)
        into = _Into(query.table, tuple(there.get(name.lower()) or Column(name, "") for name in names))
        from_files = self._rows.binary is None
        special = any(column.is_binary or column.is_bit for column in into.columns)
        return None if (from_files and special) or len(into.columns) != query.places else into

    def _columns(self, table: str) -> dict[str, Column]:
        """Return the columns by name in small letters; whoever may insert may ask."""
        shown = self._target.rows(f"SHOW COLUMNS FROM {table}")
        columns = [Column(str(row[0]), str(row[1]), str(row[5])) for row in shown]
        return {column.name.lower(): column for column in columns}

    def _treatment(self, into: _Into) -> Callable[[Chunk], Chunk]:
        """Return what is done to chunks before they are loaded, and refuse what has no meaning over there."""
        for place, column in enumerate(into.columns):
            if column.is_bit and self._rows.names and (name := self._rows.names[place]) in self._rows.foreign:
                raise UnsupportedValue(
                    f"column {name} is {self._rows.foreign[name]}, which MySQL's BIT does not read; select a number"
                )
        return binary_treatment(self._rows, _binary(into.columns), [column.name for column in into.columns], b"")

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


class _Engine:
    """MySQL for ``Inserter``."""

    joins = False
    shares_tails = True

    def __init__(self, target: Target) -> None:
        self._target = target

    def literal(self, value: bytes | None, *, binary: bool) -> bytes:
        return literal(value, binary=binary)

    def execute(self, statement: bytes) -> object:
        return self._target.execute(statement)

    def mark(self) -> None:
        self._target.execute("SAVEPOINT batch")

    def undo(self) -> None:
        self._target.execute("ROLLBACK TO SAVEPOINT batch")


def _binary(columns: Sequence[Column]) -> frozenset[int]:
    return frozenset(place for place, column in enumerate(columns) if column.is_binary)


def _insert_of(into: _Into) -> InsertQuery:
    """Return the INSERT that does what the bulk load would."""
    names = ", ".join(quote_name(column.name) for column in into.columns)
    values = ["CAST(? AS UNSIGNED)" if column.is_bit else "?" for column in into.columns]
    return parse_insert_query(f"INSERT INTO {into.table} ({names}) VALUES ({', '.join(values)})", "mysql")


def _load_statement(into: _Into) -> str:
    """Return the LOAD DATA statement; columns that need a conversion go through a variable."""
    targets, conversions = [], []
    for number, column in enumerate(into.columns):
        name = quote_name(column.name)
        conversion = "UNHEX({})" if column.is_binary else "CAST({} AS UNSIGNED)" if column.is_bit else None
        targets.append(f"@v{number}" if conversion else name)
        if conversion:
            conversions.append(f"{name} = {conversion.format(f'@v{number}')}")
    return (
        f"LOAD DATA LOCAL INFILE 'rows' INTO TABLE {into.table} CHARACTER SET utf8mb4 "
        r"FIELDS TERMINATED BY '\t' ESCAPED BY '\\' LINES TERMINATED BY '\n' "
        f"({', '.join(targets)})" + (f" SET {', '.join(conversions)}" if conversions else "")
    )
