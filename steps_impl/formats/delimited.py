r"""Tab-separated and comma-separated text, written a few hundred rows at a time.

tsv
    NULL is ``\N``; backslash, tab, line feed and carriage return each get a backslash before them, as UNLOAD's
    ESCAPE writes them (Redshift knows no ``\n`` notation: the byte after a backslash is taken as it is). Loads with
    ``DELIMITER '\t' ESCAPE NULL AS '\N'`` in Redshift, with ``FORMAT text`` (its defaults) in Postgres.
csv
    RFC 4180 with every value in quotes and lines that end with LF; NULL is ``\N`` without quotes. Loads with
    ``CSV NULL AS '\N'``, in Postgres with ``FORMAT csv, NULL '\N'``. Postgres keeps a quoted ``"\N"`` as text;
    AWS does not say whether Redshift does, so use tsv for data that may hold the text ``\N``.

Both are vectorised: the values of a chunk are joined with bytes that text hardly ever holds (0x1D for NULL, 0x1E
after a row, 0x1F between values), escaped in one pass over the chunk, and these bytes are then replaced. The counts
of the three tell whether the data itself holds one; such a chunk is written value by value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

Row = Sequence[bytes | None]

NULL_MARKER = rb"\N"
_NULL, _END, _BETWEEN = b"\x1d", b"\x1e", b"\x1f"


class RowFormat(Protocol):
    """Encodes rows; ``extension`` is the file name's, without a dot."""

    extension: str

    def encode(self, rows: Sequence[Row]) -> bytes:
        """Return the rows as lines; every row must have the same number of values, at least one."""


class TabSeparated:
    """The ``tsv`` format."""

    extension = "tsv"
    _ESCAPES = ((b"\\", b"\\\\"), (b"\t", b"\\\t"), (b"\n", b"\\\n"), (b"\r", b"\\\r"))
    _FINAL = bytes.maketrans(_BETWEEN + _END, b"\t\n")

    def encode(self, rows: Sequence[Row]) -> bytes:
        """Return the rows as lines."""
        text = _joined(rows)
        if text is None:
            return b"".join(self._line(row) for row in rows)
        return self._escaped(text).replace(_NULL, NULL_MARKER).translate(self._FINAL)

    def _line(self, row: Row) -> bytes:
        return b"\t".join(NULL_MARKER if value is None else self._escaped(value) for value in row) + b"\n"

    def _escaped(self, text: bytes) -> bytes:
        for plain, escaped in self._ESCAPES:
            if plain in text:
                text = text.replace(plain, escaped)
        return text


class CommaSeparated:
    """The ``csv`` format."""

    extension = "csv"

    def encode(self, rows: Sequence[Row]) -> bytes:
        """Return the rows as lines."""
        text = _joined(rows)
        if text is None:
            return b"".join(self._line(row) for row in rows)
        quoted = b'"' + text.replace(b'"', b'""').replace(_BETWEEN, b'","').replace(_END, b'"\n"')[:-1]
        return quoted.replace(b'"' + _NULL + b'"', NULL_MARKER)

    def _line(self, row: Row) -> bytes:
        values = (NULL_MARKER if value is None else b'"' + value.replace(b'"', b'""') + b'"' for value in row)
        return b",".join(values) + b"\n"


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
FORMATS: Mapping[str, RowFormat] = {"tsv": TabSeparated(), "csv": CommaSeparated()}
