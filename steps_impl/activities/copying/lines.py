r"""Rows on their way, as text that every bulk load takes as it is.

A *line* is a row: values between tabs, a line feed at the end, ``\N`` for NULL. Backslash, tab, line feed and carriage
return of a value have a backslash before them, and nothing else has. Postgres' ``COPY`` (``FORMAT text``) and MySQL's
``LOAD DATA`` (``ESCAPED BY '\\'``) read it as such, so most rows are never taken apart here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Literal

from steps_impl.formats.delimited import NULL_MARKER, Row, TabSeparated

NULL = NULL_MARKER
_ENCODER = TabSeparated()
_VALUE = re.compile(rb"([^\\\t\n]*(?:\\[\s\S][^\\\t\n]*)*)([\t\n])")
#: The same as ``in`` tells, in half the time: it looks for the backslash alone.
_ESCAPED_END = re.compile(rb"\\\n")
_ESCAPED = re.compile(rb"\\([\s\S])")


@dataclass(frozen=True)
class Place:
    """Where a row stands: line 7 of a file, record 7 of a file whose records do not end with LF, row 7 of a query."""

    name: str
    number: int = 1
    unit: Literal["line", "record", "row"] = "row"

    def after(self, lines: bytes) -> Place:
        """Return the place of what follows ``lines``, which begin here."""
        passed = lines.count(b"\n") if self.unit == "line" else count(lines)
        return Place(self.name, self.number + passed, self.unit)

    def __str__(self) -> str:
        return f"{self.name}, {self.unit} {self.number}"


@dataclass(frozen=True)
class Chunk:
    """Lines that follow one another in one file or query; the first of them stands at ``place``."""

    text: bytes
    place: Place

    @cached_property
    def rows(self) -> int:
        """The number of rows."""
        return count(self.text) if _ESCAPED_END.search(self.text) else self._line_feeds

    @property
    def end(self) -> Place:
        """Where what follows stands."""
        passed = self._line_feeds if self.place.unit == "line" else self.rows
        return Place(self.place.name, self.place.number + passed, self.place.unit)

    @cached_property
    def _line_feeds(self) -> int:
        return self.text.count(b"\n")

    def place_of(self, index: int) -> Place:
        """Return the place of a row of this chunk, counted from 0."""
        return self.place.after(self.text[: _offset(self.text, index)])

    def after(self, rows: int) -> Chunk:
        """Return what follows the first ``rows`` rows."""
        start = _offset(self.text, rows)
        return Chunk(self.text[start:], self.place.after(self.text[:start]))

    def row(self, index: int) -> Row:
        """Return the values of one row."""
        start = _offset(self.text, index)
        return to_rows(self.text[start : start + _offset(self.text[start:], 1)])[0]


def from_rows(rows: Sequence[Row]) -> bytes:
    """Return rows, which may differ in width, as lines."""
    if len(set(map(len, rows))) <= 1:
        return _ENCODER.encode(rows)
    return b"".join(_ENCODER.encode(list(group)) for _, group in groupby(rows, key=len))


def to_rows(lines: bytes) -> list[Row]:
    """Return lines as rows of values without escapes."""
    if b"\\" not in lines:
        return [line.split(b"\t") for line in lines[:-1].split(b"\n")] if lines else []
    if lines.count(b"\\") == lines.count(NULL):  # no other escape: nothing to take away
        return [[None if v == NULL else v for v in line.split(b"\t")] for line in lines[:-1].split(b"\n")]
    rows: list[Row] = []
    row: list[bytes | None] = []
    for text, end in _VALUE.findall(lines):
        row.append(text if b"\\" not in text else None if text == NULL else _ESCAPED.sub(rb"\1", text))
        if end == b"\n":
            rows.append(row)
            row = []
    return rows


def count(lines: bytes) -> int:
    """Return the number of rows."""
    if not _ESCAPED_END.search(lines):
        return lines.count(b"\n")
    bare = lines.replace(b"\\\\", b"") if b"\\\\" in lines else lines
    return bare.count(b"\n") - bare.count(b"\\\n")


def _offset(lines: bytes, index: int) -> int:
    """Return where the row with this number (from 0) begins."""
    position = 0
    while index and position < len(lines):
        match = _VALUE.match(lines, position)
        if match is None:
            return len(lines)
        position = match.end()
        index -= match[2] == b"\n"
    return position
