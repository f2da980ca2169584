r"""Files to lines: quick where the text allows it, exact where it does not.

1. Without quoted values (nearly all text): escapes become single marks, then separators are exchanged in one pass
   over the block (``exchange``).
2. A CSV with quotes but no escapes, other than ``\N`` for NULL: the standard library's reader, in C (``quoted``).
3. Everything else, and whatever 1 and 2 do not take: value by value (``tokens``).

All three give the same lines; a property test compares them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from core.errors import RecordMalformed
from steps_impl.activities.copying.dialects import Dialect
from steps_impl.activities.copying.exchange import Exchange
from steps_impl.activities.copying.lines import Chunk, Place, from_rows
from steps_impl.activities.copying.quoted import by_library
from steps_impl.activities.copying.tokens import Tokenizer

#: Bytes of one record above which a quote is taken for one that is never closed.
LONGEST_RECORD = 64 << 20
_BOM = b"\xef\xbb\xbf"


class RecordReader:
    """The records of one file."""

    def __init__(self, dialect: Dialect, name: str) -> None:
        self._dialect = dialect
        self._tokens = Tokenizer(dialect)
        self._place = Place(name, 1, "line" if dialect.end == b"\n" else "record")
        self._exchange = Exchange(dialect)

    def chunks(self, blocks: Iterable[bytes]) -> Iterator[Chunk]:
        """Yield the records of a file that arrives in blocks, block by block.

        Raises:
            RecordMalformed: a record that cannot be read; the message names file, line and column.
        """
        pending, enough = b"", 0
        for block in _without_bom(blocks):
            end = block.rfind(self._dialect.end) + 1
            if end and len(pending) + end >= enough:
                whole = b"".join((pending, memoryview(block)[:end]))  # what ends with a record is not copied again
                text, used = self._take(whole, final=False)
                if text:
                    yield self._chunk(text)
                pending = whole[used:] + block[end:]
                # An unfinished record is looked at again when twice as much is there.
                enough = 0 if used else 2 * len(pending)
            else:
                pending += block
            if len(pending) > LONGEST_RECORD:
                raise RecordMalformed(f"{self._place}: a record of more than 64 MiB; is a quote not closed there?")
        if pending:
            yield self._chunk(self._take(pending, final=True)[0])

    def _chunk(self, text: bytes) -> Chunk:
        chunk = Chunk(text, self._place)
        self._place = chunk.end
        return chunk

    def _take(self, text: bytes, *, final: bool) -> tuple[bytes, int]:
        """Return the lines of the whole records at the beginning, and how many bytes those take."""
        quoted = self._dialect.quotes and _has_quoted_value(text)
        quick = by_library(text, self._dialect, final=final) if quoted else self._exchange.lines(text, final=final)
        if quick is not None:
            return quick
        rows, used = self._tokens.records(text, self._place, final=final)
        return from_rows(rows), used


def _has_quoted_value(text: bytes) -> bool:
    """Tell whether a value may begin with a quote (one behind an escaped comma costs time alone)."""
    return b'"' in text and (text.startswith(b'"') or b',"' in text or b'\n"' in text)


def _without_bom(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the blocks without the byte order mark that some editors put before UTF-8."""
    start = b""
    begun = False
    for block in blocks:
        if begun:
            yield block
            continue
        start += block
        if len(start) >= len(_BOM):
            begun = True
            yield start.removeprefix(_BOM)
    if not begun and start:
        yield start
