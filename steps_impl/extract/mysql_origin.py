"""A MySQL server as an origin: one snapshot, and as many connections in it as are to read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from core.cancelling import on_cancel
from core.errors import StoreError
from core.sections.databases import MySqlHost
from steps_impl.contract import StepContext
from steps_impl.extract import query
from steps_impl.extract.codecs import TYPED
from steps_impl.extract.dialects import MySqlDialect
from steps_impl.extract.mysql_snapshot import Unshared, share_snapshot
from steps_impl.extract.parameters import SqlExtractParameters
from steps_impl.extract.parts import Share
from steps_impl.extract.policies import Policies
from steps_impl.extract.reading import Tally
from steps_impl.extract.relation import Relation
from steps_impl.extract.rows import RowStream
from steps_impl.formats import text_format
from stores.mysql import Connection, connect

_BATCH = 1000


class MySqlOrigin:
    """Connections to one server that all see the same state of it.

    Raises (on construction):
        ParameterError, UnsupportedValue, StoreError: what ``query`` says; the snapshot cannot be shared.
    """

    dialect = MySqlDialect()

    def __init__(
        self,
        host: MySqlHost,
        parameters: SqlExtractParameters,
        context: StepContext,
        stack: ExitStack,
        *,
        retries: int,
        typing: query.Typing,
    ) -> None:
        self._parameters, self._context = parameters, context
        #: Why fewer connections read than were asked for; ``None``: they do not.
        self.alone_because: str | None = None

        def open_one() -> Connection:
            connection = stack.enter_context(connect(host, parameters.database, retries))
            stack.enter_context(on_cancel(context.cancelled, connection.cancel))
            return connection

        self._connections = [open_one() for _ in range(parameters.parallel)]
        self.connection = self._connections[0]
        if parameters.parallel > 1:
            with (
                connect(host, parameters.database, retries) as locker,
                on_cancel(context.cancelled, locker.cancel),
            ):
                self._begin(locker)
        else:
            self.connection.begin_snapshot()
        self.query = self._query(typing)
        self.streams: list[RowStream] = []

    @property
    def where(self) -> str:
        """Server, user and database, for messages."""
        return self.connection.where

    @property
    def parallel(self) -> int:
        """How many connections read."""
        return len(self._connections)

    @property
    def relation(self) -> Relation:
        """What is read."""
        return self.query.relation

    def ask(self, statement: str) -> Iterable[Sequence[str | None]]:
        """Run a query and return its rows as text; they stay at the server until they are wanted."""
        self.connection.start_query(statement)
        while batch := self.connection.fetch(_BATCH):
            for row in batch:
                yield tuple(None if value is None else value.decode() for value in row)

    def prepare(self, policies: Sequence[Policies]) -> None:
        """Say how each reader treats its rows."""
        form = self._parameters.output_format
        text = None if form in TYPED else text_format(form, self.relation.columns)
        self.streams = [
            RowStream(connection, self.query.columns, treated, text)
            for connection, treated in zip(self._connections, policies, strict=True)
        ]

    @contextmanager
    def readers(self, count: int) -> Iterator[Sequence[_Reader]]:
        """Return so many readers."""
        yield [_Reader(stream) for stream in self.streams[:count]]

    def _query(self, typing: query.Typing) -> query.Query:
        if self._parameters.table is not None:
            return query.whole_table(self.connection, self._parameters.table, typing)
        return query.from_sql(self.connection, self._parameters.sql or "", typing)

    def _begin(self, locker: Connection) -> None:
        """Begin one snapshot for all connections, or for the first alone where they cannot share one."""
        try:
            share_snapshot(locker, self._connections, self._parameters.table, self._parameters.sql or "")
        except Unshared as why:
            self.alone_because = str(why)
            self._context.reporter.progress(f"reads by one connection, not {self._parameters.parallel}: {why}")
            self._connections = self._connections[:1]
            self.connection.begin_snapshot()


class _Reader:
    def __init__(self, stream: RowStream) -> None:
        self._stream = stream

    def read(self, statement: str, share: Share, tally: Tally) -> None:
        try:
            self._stream.copy_to(statement, share, tally)
        except StoreError:
            if tally.broken.is_set():  # another reader has failed, and this one was told to stop
                raise InterruptedError from None
            raise

    def cancel(self) -> None:
        self._stream.connection.cancel()
