"""``insertQuery`` over many rows: many rows in a statement, and the one row that is refused found by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Protocol

from core.errors import LoadRejected, StatementFailed
from steps_impl.activities.copying.feed import Feed
from steps_impl.activities.copying.insert_query import InsertQuery
from steps_impl.activities.copying.lines import Chunk, to_rows
from steps_impl.formats.delimited import Row
from stores.rejections import Rejected

#: Rows and bytes of one statement; servers take 1 MiB (MySQL's smallest max_allowed_packet in use) and more.
_ROWS = 1000
_BYTES = 512 * 1024


class Engine(Protocol):
    """A database in a transaction."""

    #: Whether several statements may go as one, with semicolons between them.
    joins: bool
    #: Whether rows may share a statement that goes on behind them (Postgres' ON CONFLICT takes a key once only).
    shares_tails: bool

    def literal(self, value: bytes | None, *, binary: bool) -> bytes:
        """Return a value as the engine's literal."""

    def execute(self, statement: bytes) -> object:
        """Run a statement; ``Rejected`` or an error of the tree."""

    def mark(self) -> None:
        """Remember the state of the transaction."""

    def undo(self) -> None:
        """Go back to the mark, or to an empty transaction: what is found out then is not kept."""


class Inserter:
    """Runs the rows of a feed through a statement; ``words`` are values to put in place of others, by their place."""

    def __init__(
        self,
        engine: Engine,
        query: InsertQuery,
        binary: frozenset[int],
        words: Mapping[int, Mapping[bytes | None, bytes]] = MappingProxyType({}),
    ) -> None:
        self._engine = engine
        self._binary = binary
        self._words = words
        self._query = query
        self._single = _Pieces.of(query.pieces)
        self._repeated = None
        repeated = query.repeated()
        if repeated and (engine.shares_tails or not repeated[2].strip()):
            head, pieces, tail = repeated
            self._repeated = (head.encode(), _Pieces.of(pieces), tail.encode())

    def insert(self, feed: Feed) -> None:
        """Insert all rows.

        Raises:
            LoadRejected: a row has another number of values than there are places.
            Rejected: the database refused a row; its number is that in the feed's window.
        """
        for chunk in feed.chunks():
            feed.begin_window()
            rows = self._of_right_width(chunk)
            for start, batch in _batches(rows):
                self._insert(batch, start, feed)

    def _of_right_width(self, chunk: Chunk) -> list[Row]:
        rows = to_rows(chunk.text)
        for index, row in enumerate(rows):
            if len(row) != self._query.places:
                raise LoadRejected(
                    f"{chunk.place_of(index)}: it has {len(row)} values, insertQuery takes {self._query.places}; "
                    "nothing was loaded"
                )
        return rows

    def _insert(self, batch: Sequence[Row], start: int, feed: Feed) -> None:
        self._engine.mark()
        try:
            for statement in self._statements(batch):
                self._engine.execute(statement)
        except (Rejected, StatementFailed) as failure:
            if isinstance(failure, Rejected) and failure.row is not None and self._repeated:
                raise Rejected(start + failure.row, failure.column, failure.reason) from None
            self._engine.undo()
            self._find(batch, start, feed)
            raise

    def _statements(self, batch: Sequence[Row]) -> Iterator[bytes]:
        if self._repeated:
            head, pieces, tail = self._repeated
            yield head + b", ".join(self._filled(pieces, row) for row in batch) + tail
        elif self._engine.joins:
            yield b";\n".join(self._filled(self._single, row) for row in batch)
        else:
            yield from (self._filled(self._single, row) for row in batch)

    def _filled(self, pieces: _Pieces, row: Row) -> bytes:
        literal = self._engine.literal
        known = list(row)
        for place, words in self._words.items():
            known[place] = words.get(row[place], row[place])
        values = [literal(value, binary=place in self._binary) for place, value in enumerate(known)]
        return pieces.filled(values)

    def _find(self, batch: Sequence[Row], start: int, feed: Feed) -> None:
        """Run the rows one by one until one is refused, and say which and which column."""
        for offset, row in enumerate(batch):
            try:
                self._engine.mark()
                self._engine.execute(self._filled(self._single, row))
            except Rejected as rejected:
                column = rejected.column or self._column(row, rejected.reason, feed)
                raise Rejected(start + offset + 1, column, rejected.reason) from None

    def _column(self, row: Row, reason: str, feed: Feed) -> str | None:
        """Return the column whose value alone is refused for the same reason."""
        for place, value in enumerate(row):
            alone = [value if other == place else None for other in range(len(row))]
            self._engine.undo()
            self._engine.mark()
            try:
                self._engine.execute(self._filled(self._single, alone))
            except Rejected as rejected:
                if value is not None and rejected.reason == reason:
                    return feed.name_of(place)
            except StatementFailed:
                continue
        return None


class _Pieces:
    """The texts around the places of a statement."""

    def __init__(self, texts: tuple[bytes, ...]) -> None:
        self._texts = texts

    @classmethod
    def of(cls, texts: Sequence[str]) -> _Pieces:
        """Return the pieces of a statement in text."""
        return cls(tuple(text.encode("utf-8") for text in texts))

    def filled(self, values: Sequence[bytes]) -> bytes:
        """Return the statement with values in its places."""
        parts = [self._texts[0]]
        for value, text in zip(values, self._texts[1:], strict=True):
            parts += (value, text)
        return b"".join(parts)


def _batches(rows: Sequence[Row]) -> Iterator[tuple[int, list[Row]]]:
    """Yield the rows in batches that fit a statement, each with the number of rows before it."""
    start = 0
    remaining = iter(rows)
    while batch := list(_up_to(islice(remaining, _ROWS), _BYTES)):
        yield start, batch
        start += len(batch)


def _up_to(rows: Iterator[Row], size: int) -> Iterator[Row]:
    passed = 0
    for row in rows:
        yield row
        passed += sum(len(value) + 4 for value in row if value is not None)
        if passed >= size:
            return
