r"""Where a record of a file ends, and which records Postgres reads exactly as Redshift does.

Most records of most files are *plain*: Postgres' own COPY gives them the meaning that Redshift's gives them. One
regular expression, made for the table and the options, runs over many plain records at once without any Python
for a row; what it stops at is read by :mod:`sandbox.redshift.copy.rows`. It holds Redshift's rules where Postgres
has others: lengths in bytes, decimals that are cut and not rounded, ``\n`` after ESCAPE that is an ``n``, numbers
such as ``0x1F`` or ``1_000`` and dates such as ``today`` that only Postgres takes.
"""

from __future__ import annotations

import re
from typing import Final

from sandbox.redshift.copy.columns import Column
from sandbox.redshift.copy.command import CopyCommand

_CLOCK: Final = rb"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?"
_DAY: Final = rb"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_PLAIN: Final = {
    "int2": rb"-?[0-9]{1,4}",
    "int4": rb"-?[0-9]{1,9}",
    "int8": rb"-?[0-9]{1,18}",
    "float4": rb"-?[0-9]{1,15}(?:\.[0-9]{1,17})?",
    "float8": rb"-?[0-9]{1,15}(?:\.[0-9]{1,17})?",
    "bool": rb"[tf01]|true|false",
    "date": _DAY,
    "timestamp": _DAY + rb" " + _CLOCK,
    "timestamptz": _DAY + rb" " + _CLOCK + rb"(?:[-+][0-9]{2})?",
    "time": _CLOCK,
}
_NOTHING: Final = rb"(?!)"


class Layout:
    """How the records of one file are cut; ``line_end`` is what its first line ends with."""

    def __init__(self, copy: CopyCommand, columns: list[Column], line_end: bytes = b"\n") -> None:
        self._copy = copy
        self.line_end = line_end
        self._plain = re.compile(_plain_records(copy, columns, line_end), re.DOTALL)

    def plain_until(self, data: bytes, start: int) -> int:
        """Return where the plain records that begin at ``start`` end."""
        match = self._plain.match(data, start)
        return match.end() if match else start

    def record_end(self, data: bytes, start: int) -> int:
        """Return where the record that begins at ``start`` ends, past its newline; -1 if it is not complete."""
        position = start
        while True:
            newline = data.find(b"\n", position)
            if newline < 0:
                return -1
            if self._ends_record(data, start, newline):
                return newline + 1
            position = newline + 1

    def last_end(self, data: bytes) -> int:
        """Return where the last complete record of ``data`` ends; ``data`` begins with a record."""
        if self._copy.csv:
            return self._last_csv_end(data)
        newline = data.rfind(b"\n")
        while newline >= 0 and not self._ends_record(data, 0, newline):
            newline = data.rfind(b"\n", 0, newline)
        return newline + 1

    def _ends_record(self, data: bytes, start: int, newline: int) -> bool:
        if self._copy.csv:
            return data.count(self._copy.quote, start, newline) % 2 == 0
        if not self._copy.escape:
            return True
        before = newline
        while before > start and data[before - 1] == 0x5C:
            before -= 1
        return (newline - before) % 2 == 0

    def _last_csv_end(self, data: bytes) -> int:
        newline = data.rfind(b"\n")
        quotes = data.count(self._copy.quote, 0, max(newline, 0))
        while newline >= 0 and quotes % 2:
            previous = data.rfind(b"\n", 0, newline)
            quotes -= data.count(self._copy.quote, max(previous, 0), newline)
            newline = previous
        return newline + 1


def postgres_null(copy: CopyCommand) -> bytes:
    """Return the text that stands for NULL in what Postgres is given, which takes no NUL byte."""
    if b"\0" in copy.null_as:
        return rb"\N"
    return copy.null_as if copy.csv or copy.escape else copy.null_as.replace(b"\\", b"\\\\")


def _plain_records(copy: CopyCommand, columns: list[Column], line_end: bytes) -> bytes:
    if b"\0" in copy.null_as or b"\r" in copy.null_as or b'"' in copy.null_as or copy.line_by_line:
        return _NOTHING
    fields = [_field(copy, column, line_end) for column in columns]
    record = re.escape(copy.delimiter).join(fields) + re.escape(line_end)
    return rb"(?:" + record + rb")*+"


def _field(copy: CopyCommand, column: Column, line_end: bytes) -> bytes:
    null = re.escape(copy.null_as)
    ends = rb"(?=" + re.escape(copy.delimiter) + rb"|" + re.escape(line_end) + rb")"
    content = _text(copy, column) if column.is_text else _quotable(copy, _other(copy, column))
    if column.not_null:
        return rb"(?!" + null + ends + rb")(?:" + content + rb")"
    return rb"(?:" + null + ends + rb"|" + content + rb")"


def _other(copy: CopyCommand, column: Column) -> bytes:
    if column.type == "numeric":
        whole = str(max(column.length - column.scale, 0)).encode()
        digits = rb"-?[0-9]{1," + whole + rb"}" if whole != b"0" else rb"-?0"
        return digits + (rb"(?:\.[0-9]{1,%d})?" % column.scale if column.scale else rb"")
    if copy.time_format and column.type.startswith("timestamp"):
        return _NOTHING
    if copy.date_format not in ("", "auto") and column.type == "date":
        return _NOTHING
    return _PLAIN.get(column.type, _NOTHING)


def _quotable(copy: CopyCommand, pattern: bytes) -> bytes:
    """In CSV a number may be quoted."""
    if not copy.csv:
        return pattern
    quote = re.escape(copy.quote)
    return pattern + rb"|" + quote + rb"(?:" + pattern + rb")" + quote


def _text(copy: CopyCommand, column: Column) -> bytes:
    least = 1 if copy.empty_as_null else 0
    bounds = rb"{%d,%d}+" % (least, column.length) if column.length else rb"{%d,}+" % least
    above = b"" if column.type == "varchar" else rb"\x80-\xff"  # CHAR takes single bytes only
    outside = re.escape(copy.delimiter) + rb"\x00\r\n" + above
    if copy.csv:
        quote = re.escape(copy.quote)
        quoted = rb"(?:[^" + quote + rb"\x00" + above + rb"]|" + quote + quote + rb")"
        return rb"[^" + outside + quote + rb"]" + bounds + rb"|" + quote + quoted + bounds + quote
    if not copy.escape:
        return rb"[^" + outside + rb"]" + bounds
    characters = rb"[^\\" + outside + rb"]"
    # Not those that Postgres would read as a control character, an octal or a hexadecimal number, or an end mark.
    escaped = rb"\\[^bfnrtvxN0-7.\x00" + above + rb"]"
    ends = rb"(?=" + re.escape(copy.delimiter) + rb"|[\r\n])"
    return characters + bounds + ends + rb"|(?:" + characters + rb"|" + escaped + rb")" + bounds
