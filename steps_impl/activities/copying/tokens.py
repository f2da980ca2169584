"""The exact reading of a file's records, value by value: for what the quick ways of ``reading`` do not cover."""

from __future__ import annotations

import re

from core.errors import RecordMalformed
from steps_impl.activities.copying.dialects import Dialect
from steps_impl.activities.copying.lines import Place
from steps_impl.formats.delimited import Row

_QUOTED = re.compile(rb'"([^"]*(?:""[^"]*)*+)"')


class _Unfinished(Exception):
    """The text ends before the record does."""


class _Fault(Exception):
    """A record that cannot be read; the text says why."""


class Tokenizer:
    """Takes whole records off the beginning of a text."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        separator, end, escape = map(re.escape, (dialect.separator, dialect.end, dialect.escape))
        plain = rb"[^%b%b%b]*" % (separator, end, escape)
        self._bare = re.compile(rb"%b(?:%b[\s\S]%b)*" % (plain, escape, plain) if escape else plain)
        self._unescaped = re.compile(rb"%b([\s\S])" % escape)

    def records(self, text: bytes, place: Place, *, final: bool) -> tuple[list[Row], int]:
        """Return the records at the beginning of ``text`` and how many bytes they take.

        An unfinished record at the end is left there unless the text is ``final``; then it needs no end.

        Raises:
            RecordMalformed: a quote or an escape without an end, or text behind a closing quote.
        """
        rows: list[Row] = []
        used = 0
        while used < len(text):
            row: list[bytes | None] = []
            try:
                used = self._record(text, used, row, final=final)
            except _Unfinished:
                break
            except _Fault as fault:
                passed = text[:used].count(b"\n") if place.unit == "line" else len(rows)
                at = Place(place.name, place.number + passed, place.unit)
                message = f"{at}, column {len(row) + 1}: {fault}; correct the file or its data format"
                raise RecordMalformed(message) from None
            rows.append(row)
        return rows, used

    def _record(self, text: bytes, position: int, row: list[bytes | None], *, final: bool) -> int:
        """Fill ``row`` with the values of the record that begins here; return where the next record begins."""
        while True:
            if self._dialect.quotes and text[position : position + 1] == b'"':
                value, stop = _quoted(text, position, final=final)
            else:
                value, stop = self._plain(text, position, final=final)
            last, position = self._ending(text, stop, final=final)
            if last and isinstance(value, _Bare):
                value = self._without_return(value)
            row.append(self._meaning(value) if isinstance(value, _Bare) else value)
            if last:
                return position

    def _plain(self, text: bytes, position: int, *, final: bool) -> tuple[_Bare, int]:
        match = self._bare.match(text, position)
        assert match is not None  # it matches an empty value, too
        stop = match.end()
        if (
            self._dialect.escape and text[stop : stop + 1] == self._dialect.escape
        ):  # only the last byte of the text can be left over
            if final:
                raise _Fault("an escape character stands at the end of the file")
            raise _Unfinished
        return _Bare(match[0]), stop

    def _ending(self, text: bytes, stop: int, *, final: bool) -> tuple[bool, int]:
        """Tell whether the value before ``stop`` ends its record, and where the next value begins."""
        after = text[stop : stop + 2]
        if after[:1] == self._dialect.separator:
            return False, stop + 1
        if after[:1] == self._dialect.end:
            return True, stop + 1
        if self._dialect.quotes and after == b"\r\n":
            return True, stop + 2
        if len(after) < 2 and (not after or (self._dialect.quotes and after == b"\r")):
            if final:
                return True, len(text)
            raise _Unfinished
        raise _Fault("there is text behind a closing quote")

    def _without_return(self, value: _Bare) -> _Bare:
        """Take away the carriage return of a CSV's CR LF, unless it is escaped."""
        if not (self._dialect.quotes and value.endswith(b"\r")):
            return value
        before = value[:-1]
        escapes = len(before) - len(before.rstrip(self._dialect.escape)) if self._dialect.escape else 0
        return value if escapes % 2 else _Bare(before)

    def _meaning(self, value: _Bare) -> bytes | None:
        raw = bytes(value)
        if raw in self._dialect.nulls:
            return None
        escaped = self._dialect.escape and self._dialect.escape in raw
        return self._unescaped.sub(rb"\1", raw) if escaped else raw


class _Bare(bytes):
    """A value without quotes, as it stands in the file."""


def _quoted(text: bytes, position: int, *, final: bool) -> tuple[bytes, int]:
    match = _QUOTED.match(text, position)
    if match and (final or match.end() < len(text)):  # at the end of a block it may be the first of two quotes
        return match[1].replace(b'""', b'"'), match.end()
    if final:
        raise _Fault("a quote is opened and not closed")
    raise _Unfinished
