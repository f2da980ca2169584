"""A Postgres server as an origin: one snapshot, and as many connections in it as are to read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from core.cancelling import on_cancel
from core.errors import NotFound, ParameterError, StoreError
from core.sections.databases import PostgresSettings
from steps_impl.activities.copying.relations import find_relation, split_name
from steps_impl.contract import StepContext
from steps_impl.extract import pg_text
from steps_impl.extract.codecs import TYPED
from steps_impl.extract.dialects import PostgresDialect
from steps_impl.extract.parameters import SqlExtractParameters
from steps_impl.extract.parts import Share
from steps_impl.extract.pg_schema import expression, warehouse_type
from steps_impl.extract.reading import Tally
from steps_impl.extract.relation import Relation
from steps_impl.formats.typed import Column, CsvBlock, TypedRows
from steps_impl.queries import bare_query
from stores.postgres import Connection, connect, quote_name

_TEXT = "(FORMAT text)"
#: One JSON object a line as it is: no byte of it is a separator or a quote of this CSV.
_JSON = r"(FORMAT csv, DELIMITER E'\x02', QUOTE E'\x01', NULL '')"
_CSV = r"(FORMAT csv, NULL '\N', FORCE_QUOTE *)"
_OPTIONS = {"csv": _CSV, "json": _JSON}
_KEY = """
SELECT a.attname FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(number, place)
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
WHERE i.indrelid = %s::regclass AND i.indisprimary ORDER BY k.place"""


class PostgresOrigin:
    """Connections to one server that all see the same state of it.

    Raises (on construction):
        NotFound, StoreError: the table is not there, the server refuses.
    """

    dialect = PostgresDialect()

    def __init__(
        self,
        settings: PostgresSettings,
        parameters: SqlExtractParameters,
        context: StepContext,
        stack: ExitStack,
        *,
        retries: int,
        raw_bytes: bool,
    ) -> None:
        self._parameters = parameters

        def open_one() -> Connection:
            connection = stack.enter_context(connect(settings, parameters.database, retries))
            stack.enter_context(on_cancel(context.cancelled, connection.cancel))
            return connection

        self.connection = open_one()
        self._followers = [open_one() for _ in range(parameters.parallel - 1)]
        if self._followers:
            snapshot = self.connection.export_snapshot()
            for follower in self._followers:
                follower.take_snapshot(snapshot)
        self._hexadecimal: frozenset[int] = frozenset()
        self.relation = self._relation(raw_bytes)

    @property
    def where(self) -> str:
        """Server, user and database, for messages."""
        return self.connection.where

    @property
    def parallel(self) -> int:
        """How many connections read."""
        return 1 + len(self._followers)

    def ask(self, statement: str) -> Iterable[Sequence[str | None]]:
        """Run a query and return its rows as text, some at a time."""
        return self.connection.stream_text(statement)

    @contextmanager
    def readers(self, count: int) -> Iterator[Sequence[_Reader]]:
        """Return so many readers."""
        connections = [self.connection, *self._followers][:count]
        yield [_Reader(connection, self._parameters.output_format, self._hexadecimal) for connection in connections]

    def _relation(self, raw_bytes: bool) -> Relation:
        name, sql = self._parameters.table, bare_query(self._parameters.sql or "", "postgres")
        if name is None and not sql:
            raise ParameterError("--sql is empty; give a SELECT statement")
        source = self._table(name) if name is not None else f"(\n{sql}\n) AS source_rows"
        described = self.connection.columns(f"SELECT * FROM {source}")
        types = dict(described)
        form, nested = self._parameters.output_format, self._parameters.json_columns == "nested"
        columns = tuple(
            Column(column, warehouse_type(kind, raw_bytes=raw_bytes, nested=nested)) for column, kind in described
        )
        self._hexadecimal = frozenset(place for place, column in enumerate(columns) if column.base == "binary varying")
        selected = ", ".join(
            f"{expression(quote_name(column), kind, as_json=form == 'json', nested=nested)} AS {quote_name(column)}"
            for column, kind in described
        )
        return Relation(
            source, selected, columns, types, countable=False, key=self._primary_key(source) if name else ()
        )

    def _table(self, name: str) -> str:
        found = find_relation(*split_name(name), self.connection.rows)
        if found is None:
            raise NotFound(f"{self.where} has no table or view {name}; check its name and the user's grants")
        return found

    def _primary_key(self, table: str) -> tuple[str, ...]:
        return tuple(str(row[0]) for row in self.connection.rows(_KEY, (table,)))


class _Reader:
    def __init__(self, connection: Connection, output_format: str, hexadecimal: frozenset[int]) -> None:
        self._connection = connection
        self._format = output_format
        self._hexadecimal = hexadecimal
        self._columnar = output_format in TYPED and not hexadecimal
        self._options = _CSV if self._columnar else _OPTIONS.get(output_format, _TEXT)
        self._rows = 0

    def read(self, statement: str, share: Share, tally: Tally) -> None:
        """Copy the rows of a statement.

        Raises:
            StoreError: the server failed, or fewer rows arrived than it says it has sent.
        """
        arrived = 0

        def write(block: bytes, count: int) -> None:
            nonlocal arrived
            share.write(self._content(block), count, len(block))
            arrived += count
            self._rows += count
            tally.add(count, len(block))

        if self._format == "json":
            statement = f"SELECT row_to_json(line) FROM ({statement}) AS line"
        try:
            sent = self._connection.copy_out(statement, self._options, write, share.room)
        except StoreError:
            tally.add(0, 0)  # cancelled by us, not failed
            raise
        if sent != arrived:
            raise StoreError(f"{self._connection.where}: {arrived} rows arrived of {sent} sent; run the step again")

    def cancel(self) -> None:
        self._connection.cancel()

    def _content(self, block: bytes) -> Any:
        if self._format in ("csv", "json"):
            return block
        if self._format == "tsv":
            return pg_text.for_redshift(block)
        if self._columnar:
            return CsvBlock(self._rows + 1, block)
        rows = pg_text.rows_of(block)
        for place in self._hexadecimal:
            rows = [_with(row, place) for row in rows]
        return TypedRows(self._rows + 1, rows)


def _with(row: Any, place: int) -> Any:
    value = row[place]
    return row if value is None else [*row[:place], bytes.fromhex(value.decode()), *row[place + 1 :]]
