r"""Tab-separated and comma-separated text, written a few hundred rows at a time.

tsv
    NULL is ``\N``; backslash, tab, line feed and carriage return each get a backslash before them, as UNLOAD's
    ESCAPE writes them (Redshift knows no ``\n`` notation: the byte after a backslash is taken as it is). The text
    ``\N`` is ``\\\N``, since Redshift takes ``\\N`` for NULL, too (*COPY, ESCAPE*). Loads with ``DELIMITER '\t'
    ESCAPE`` in Redshift, with ``FORMAT text`` (its defaults) in Postgres.
csv
    RFC 4180 with every value in quotes and lines that end with LF; NULL is ``\N`` without quotes. Loads with
    ``CSV NULL AS '\N'``, in Postgres with ``FORMAT csv, NULL '\N'``. Postgres keeps a quoted ``"\N"`` as text;
    AWS does not say whether Redshift does, so use tsv for data that may hold the text ``\N``.

Both are vectorised. tsv works column by column: the values of a text column are joined with a byte that text hardly
ever holds (0x1F), escaped in one pass and split again; columns that never need it (numbers, dates) are left alone. csv
works on the chunk as a whole, with 0x1D for NULL, 0x1E after a row and 0x1F between values. Counts of these bytes tell
whether the data itself holds one; such a column or chunk is written value by value.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

Row = Sequence[bytes | None]

NULL_MARKER = rb"\N"
#: The text that looks like it: with a backslash before the backslash alone, and before every character.
ESCAPED_MARKER, TEXT_MARKER = rb"\\N", rb"\\\N"
_NULL, _END, _BETWEEN = b"\x1d", b"\x1e", b"\x1f"


class RowFormat(Protocol):
    """Encodes rows; ``extension`` is the file name's, without a dot."""

    extension: str

    def encode(self, rows: Sequence[Row], plain: Collection[int] = ()) -> bytes:
        """Return the rows as lines; every row must have the same number of values, at least one.

        ``plain`` are the places of columns whose values never hold a separator, a quote or a backslash.
        """


class TabSeparated:
    """Lines as Postgres reads them: a text that looks like NULL has a backslash before its own, as any other."""

    extension = "tsv"
    _text_marker = ESCAPED_MARKER
    _ESCAPES = ((b"\\", b"\\\\"), (b"\t", b"\\\t"), (b"\n", b"\\\n"), (b"\r", b"\\\r"))

    def encode(self, rows: Sequence[Row], plain: Collection[int] = ()) -> bytes:
        """Return the rows as lines."""
        if not rows:
            return b""
        stride = 2 * len(rows[0])
        pieces: list[bytes] = [b"\t"] * (len(rows) * stride)
        pieces[stride - 1 :: stride] = [b"\n"] * len(rows)
        for place, column in enumerate(zip(*rows, strict=True)):
            pieces[2 * place :: stride] = _without_nulls(column) if place in plain else self._text(column)
        return b"".join(pieces)

    def _text(self, column: Row) -> Sequence[bytes]:
        """Return the values of a text column as they stand in the file."""
        full = column if all(column) else [value for value in column if value]
        joined = _BETWEEN.join(full)  # type: ignore[arg-type]  # no None is left
        if joined.count(_BETWEEN) != max(0, len(full) - 1):
            return [NULL_MARKER if value is None else self._told(self._escaped(value)) for value in column]
        escaped = self._escaped(joined)
        if escaped is joined:
            return _without_nulls(column)
        values = escaped.split(_BETWEEN)
        if ESCAPED_MARKER in escaped:
            values = [self._told(value) for value in values]
        if full is column:
            return values
        rest = iter(values)
        return [next(rest) if value else NULL_MARKER if value is None else value for value in column]

    def _escaped(self, text: bytes) -> bytes:
        for plain, escaped in self._ESCAPES:
            if plain in text:
                text = text.replace(plain, escaped)
        return text

    def _told(self, escaped: bytes) -> bytes:
        return self._text_marker if escaped == ESCAPED_MARKER else escaped


class TabSeparatedFile(TabSeparated):
    """The ``tsv`` format, which Redshift reads, too."""

    _text_marker = TEXT_MARKER


class CommaSeparated:
    """The ``csv`` format."""

    extension = "csv"

    def encode(self, rows: Sequence[Row], plain: Collection[int] = ()) -> bytes:  # noqa: ARG002 - every value is quoted
        """Return the rows as lines."""
        text = _joined(rows)
        if text is None:
            return b"".join(self._line(row) for row in rows)
        quoted = b'"' + text.replace(b'"', b'""').replace(_BETWEEN, b'","').replace(_END, b'"\n"')[:-1]
        return quoted.replace(b'"' + _NULL + b'"', NULL_MARKER)

    def _line(self, row: Row) -> bytes:
        values = (NULL_MARKER if value is None else b'"' + value.replace(b'"', b'""') + b'"' for value in row)
        return b",".join(values) + b"\n"


def _without_nulls(column: Row) -> Sequence[bytes]:
    """Return the values with NULL as its marker (``all`` is several times faster than looking for None)."""
    if all(column):
        return column  # type: ignore[return-value]  # no None is in it
    return [NULL_MARKER if value is None else value for value in column]


def _joined(rows: Sequence[Row]) -> bytes | None:
    """Join all values with the three marker bytes; ``None`` when a value holds one of them.

    Column by column, so that only columns with a NULL are looked at value by value. NULLs are counted as they are
    replaced: a value that is itself 0x1D must not pass for one.
    """
    nulls, width = 0, len(rows[0]) + 1 if rows else 1
    pieces: list[bytes | None] = [_END] * (len(rows) * width)
    for place, column in enumerate(zip(*rows, strict=True)):
        if None in column:
            nulls += column.count(None)
            pieces[place::width] = [_NULL if value is None else value for value in column]
        else:
            pieces[place::width] = column
    pieces.append(b"")
    text = _BETWEEN.join(pieces)  # type: ignore[arg-type]  # every NULL is replaced
    marked = text.count(_END) == len(rows) and text.count(_BETWEEN) == len(pieces) - 1 and text.count(_NULL) == nulls
    return text.replace(_BETWEEN + _END + _BETWEEN, _END) if marked else None


#: The formats by the name that ``--output-format`` takes.
FORMATS: Mapping[str, RowFormat] = {"tsv": TabSeparatedFile(), "csv": CommaSeparated()}
