"""Streams the rows of queries into files, chunk by chunk; memory does not depend on how many there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from steps_impl.extract.fetching import Fetcher
from steps_impl.extract.parts import Share
from steps_impl.extract.policies import Policies, Row
from steps_impl.extract.reading import Tally
from steps_impl.formats import RowFormat
from steps_impl.formats.typed import TypedRows
from stores.mysql import Column, Connection

#: Rows treated at once; 500 to 4000 are equally fast.
CHUNK_ROWS = 500


class RowStream:
    """The rows of one connection's queries on their way: read, treated by the policies, encoded, written; and counts.

    Without a text format the rows go on as they are, to a codec that makes typed files.
    """

    def __init__(
        self, connection: Connection, columns: Sequence[Column], policies: Policies, text_format: RowFormat | None
    ) -> None:
        self.connection = connection
        self.policies = policies
        self._format = text_format
        self.rows = 0  # read so far
        self._plain = frozenset(index for index, column in enumerate(columns) if column.is_plain)
        self._fetcher = Fetcher(connection, columns)

    def copy_to(self, statement: str, share: Share, tally: Tally) -> None:
        """Run a query and write all its rows.

        Raises:
            InterruptedError: the step was cancelled, or another reader has failed.
            StoreError, UnsupportedValue: from the server, the output and the policies.
        """
        self.connection.start_query(statement)
        for rows in self._chunks(share):
            content, size = self._encode(rows)
            share.write(content, len(rows), size)
            self.rows += len(rows)
            tally.add(len(rows), size)

    def _encode(self, rows: Sequence[Row]) -> tuple[Any, int]:
        self.policies.check_booleans(rows, self.rows + 1)
        rows = self.policies.hexadecimal(rows)
        if self._format is None:
            look = b"\n".join(filter(None, chain.from_iterable(rows)))
            return TypedRows(self.rows + 1, self.policies.treat(rows, look, self.rows + 1)), len(look)
        text = self._format.encode(rows, self._plain)
        treated = self.policies.treat(rows, text, self.rows + 1)
        text = text if treated is rows else self._format.encode(treated, self._plain)
        return text, len(text)

    def _chunks(self, share: Share) -> Iterator[Sequence[Row]]:
        """Yield rows in chunks that fit the current file and, where single values are large, about a megabyte."""
        while True:
            rows = self._fetcher.fetch(min(CHUNK_ROWS, share.room()))
            if not rows:
                return
            yield rows
