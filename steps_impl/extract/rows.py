"""Streams the rows of a query into files, chunk by chunk; memory does not depend on how many there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from steps_impl.contract import StepContext
from steps_impl.extract.fetching import Fetcher
from steps_impl.extract.parts import PartWriter
from steps_impl.extract.policies import Policies, Row
from steps_impl.extract.query import Query
from steps_impl.formats import RowFormat
from stores.mysql import Connection

#: Rows treated at once; 500 to 4000 are equally fast.
CHUNK_ROWS = 500


class RowStream:
    """The rows of one query on their way: read, treated by the policies, encoded, written; and counts of them."""

    def __init__(self, connection: Connection, query: Query, policies: Policies, row_format: RowFormat) -> None:
        self.connection = connection
        self.query = query
        self.policies = policies
        self.format = row_format
        #: Rows read, and bytes of text made of them.
        self.rows = 0
        self.bytes = 0
        self._plain = frozenset(index for index, column in enumerate(query.columns) if column.is_plain)
        self._fetcher = Fetcher(connection, query.columns)

    def copy_to(self, writer: PartWriter, context: StepContext) -> None:
        """Run the query and write all its rows.

        Raises:
            InterruptedError: the step was cancelled.
            StoreError, UnsupportedValue: from the server, the output and the policies.
        """
        self.connection.start_query(self.query.statement)
        for rows in self._chunks(writer):
            if context.cancelled.is_set():
                raise InterruptedError("cancelled while reading")
            text = self._encode(rows)
            writer.write(text, len(rows))
            self.rows += len(rows)
            self.bytes += len(text)
            context.reporter.progress("read", rows=self.rows, bytes=self.bytes)

    def _encode(self, rows: Sequence[Row]) -> bytes:
        rows = self.policies.hexadecimal(rows)
        text = self.format.encode(rows, self._plain)
        treated = self.policies.treat(rows, text, self.rows + 1)
        return text if treated is rows else self.format.encode(treated, self._plain)

    def _chunks(self, writer: PartWriter) -> Iterator[Sequence[Row]]:
        """Yield rows in chunks that fit the current file and, where single values are large, about a megabyte."""
        while True:
            limit = min(CHUNK_ROWS, writer.room())
            rows = self._fetcher.fetch(limit)
            if not rows:
                return
            yield rows
