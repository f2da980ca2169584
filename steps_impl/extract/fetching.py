"""Rows from MySQL in batches that fit the memory: by number where values are small, by size where they may be large."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

from steps_impl.extract.policies import Row
from stores.mysql import Column, Connection

#: Where single values may be large: rows fetched at once at first and after large ones, and while rows are small; bytes
#: that are treated at once.
_CAUTIOUS_ROWS, _BOLD_ROWS = 10, 50
_LARGE_BYTES = 1 << 20


class Fetcher:
    """Fetches the rows of the running query of a connection."""

    def __init__(self, connection: Connection, columns: Sequence[Column]) -> None:
        self._connection = connection
        self._large = [itemgetter(index) for index, column in enumerate(columns) if column.is_large]

    def fetch(self, limit: int) -> Sequence[Row]:
        """Return up to ``limit`` rows, about a megabyte where single values are large; none at the end."""
        if not self._large:
            return self._connection.fetch(limit)
        rows: list[Row] = []
        size, at_once = 0, _CAUTIOUS_ROWS
        while len(rows) < limit and size < _LARGE_BYTES:
            more = self._connection.fetch(min(at_once, limit - len(rows)))
            if not more:
                break
            rows.extend(more)
            size += sum(sum(map(len, filter(None, map(value, more)))) for value in self._large)
            at_once = _BOLD_ROWS if size * _BOLD_ROWS < _LARGE_BYTES * len(rows) else _CAUTIOUS_ROWS
        return rows
