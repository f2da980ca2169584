r"""Lines to files: as quick as the text allows, the same whichever way is taken.

As in ``exchange``, the escapes of the lines become marks, separators are exchanged in one pass, and the marks become
what they are in the file. Text that holds a mark itself is written value by value.
"""

from __future__ import annotations

from typing import Protocol

from steps_impl.activities.copying.dialects import Dialect
from steps_impl.activities.copying.lines import NULL, to_rows
from steps_impl.formats.delimited import Row

_ESCAPE, _NULL, _TAB, _FEED, _RETURN = b"\x1c", b"\x1d", b"\x1e", b"\x1f", b"\x1a"
_MARKS = (_ESCAPE, _NULL, _TAB, _FEED, _RETURN)
_IN_LINES = ((rb"\\", _ESCAPE), (b"\\\t", _TAB), (b"\\\n", _FEED), (b"\\\r", _RETURN), (NULL, _NULL))


def file_writer(dialect: Dialect) -> FileWriter:
    """Return what writes lines in a dialect."""
    return Quoted() if dialect.quoted else Escaped(dialect)


class FileWriter(Protocol):
    """Makes a file's bytes of lines."""

    def encode(self, lines: bytes) -> bytes:
        """Return the bytes of whole lines."""


class Quoted:
    r"""CSV with every value in quotes; NULL is ``\N`` without them."""

    def encode(self, lines: bytes) -> bytes:
        """Return the records."""
        if lines.count(b"\\") != lines.count(NULL):
            return b"".join(_quoted_record(row) for row in to_rows(lines))
        if not lines:
            return b""
        text = lines[:-1].replace(b'"', b'""').replace(b"\t", b'","').replace(b"\n", b'"\n"')
        return (b'"' + text + b'"\n').replace(b'"' + NULL + b'"', NULL)


def _quoted_record(row: Row) -> bytes:
    return b",".join([NULL if v is None else b'"' + v.replace(b'"', b'""') + b'"' for v in row]) + b"\n"


class Escaped:
    """Values without quotes; separators, the escape itself, backslashes and carriage returns are escaped."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._special = frozenset({dialect.separator, dialect.end, dialect.escape, b"\\", b"\r"})
        # The escape goes first: what the others get before them is not escaped again.
        order = sorted(self._special, key=lambda character: character != dialect.escape)
        self._escapes = tuple((character, dialect.escape + character) for character in order)
        self._in_text = tuple(pair for pair in self._escapes if pair[0] not in b"\t\n\\\r" or pair[0] == dialect.escape)
        self._table = bytes.maketrans(b"\t\n", dialect.separator + dialect.end)
        self._restored = (
            (_ESCAPE, self._value(b"\\")),
            (_TAB, self._value(b"\t")),
            (_FEED, self._value(b"\n")),
            (_RETURN, self._value(b"\r")),
            (_NULL, dialect.null),
        )
        self._same = (dialect.separator, dialect.end, dialect.escape, dialect.quotes) == (b"\t", b"\n", b"\\", False)

    def encode(self, lines: bytes) -> bytes:
        """Return the records."""
        if self._same and (b"\\" not in lines or self._dialect.null == NULL):
            return lines
        if any(mark in lines for mark in _MARKS):
            return b"".join(self._record(row) for row in to_rows(lines))
        text = lines
        if b"\\" in text:
            for escaped, mark in _IN_LINES:
                text = text.replace(escaped, mark)
        text = self._exchanged(text)
        for mark, meaning in self._restored:
            if mark in text:
                text = text.replace(mark, meaning)
        return text

    def _exchanged(self, text: bytes) -> bytes:
        for plain, escaped in self._in_text:
            if plain in text:
                text = text.replace(plain, escaped)
        if self._dialect.quotes and b'"' in text:
            text = _quote_escaped(text, self._dialect.escape)
        return text if self._same else text.translate(self._table)

    def _record(self, row: Row) -> bytes:
        values = (self._dialect.null if value is None else self._value(value) for value in row)
        return self._dialect.separator.join(values) + self._dialect.end

    def _value(self, value: bytes) -> bytes:
        for plain, escaped in self._escapes:
            if plain in value:
                value = value.replace(plain, escaped)
        return self._dialect.escape + value if self._dialect.quotes and value.startswith(b'"') else value


def _quote_escaped(text: bytes, escape: bytes) -> bytes:
    """Escape the quotes that begin a value: there, and only there, a reader would take them for its own."""
    for before in (b"\t", b"\n"):
        text = text.replace(before + b'"', before + escape + b'"')
    return escape + text if text.startswith(b'"') else text
