r"""CSV with quotes by the standard library's reader, where its reading and ours are the same."""

from __future__ import annotations

import csv
import io
import re
import sys

from steps_impl.activities.copying.dialects import Dialect, whole_value
from steps_impl.activities.copying.lines import NULL, from_rows

#: Stands for an unquoted ``\N`` while the library reads; a text that holds it is read exactly.
_MARK = b"\x1d"
_BARE_NULL = re.compile(rb"\\(?<=[,\n]\\)N(?=[,\r\n]|\Z)")
_MARKED_NULL = re.compile(rb"\x1d(?<=[\t\n]\x1d)(?=[\t\n])")

csv.field_size_limit(sys.maxsize)


def by_library(text: bytes, dialect: Dialect, *, final: bool) -> tuple[bytes, int] | None:
    """Return the lines of the whole records in a text, and how many bytes those take.

    Nothing is returned where the library would read otherwise than ``tokens``: with escapes, with carriage returns
    that do not end a record, or where it finds a fault (it does not tell where).
    """
    used = len(text) if final else _last_end(text)
    marked = _mark_nulls(text[:used], dialect)
    if not used or marked is None or b"\t" in marked or marked.count(b"\r") != marked.count(b"\r\n"):
        return None
    try:
        rows = list(csv.reader(io.StringIO(marked.decode("latin-1"), newline=""), strict=True))
    except csv.Error:
        return None
    lines = ("\n".join(map("\t".join, rows)) + "\n").encode("latin-1")
    if lines.count(b"\n") != len(rows) or b"\r" in lines:
        return (_with_breaks(rows), used) if _MARK not in marked else None
    if not dialect.escape:  # a backslash that is text has another before it in a line
        lines = lines.replace(b"\\", b"\\\\")
    if _MARK in lines:
        if len(_MARKED_NULL.findall(b"\n" + lines)) != lines.count(_MARK):
            return None
        lines = lines.replace(_MARK, NULL)
    return lines, used


def _with_breaks(rows: list[list[str]]) -> bytes:
    """Return lines of rows with line feeds or carriage returns in their values; an empty record is one empty value."""
    return from_rows([[value.encode("latin-1") for value in row] or [b""] for row in rows])


def _mark_nulls(text: bytes, dialect: Dialect) -> bytes | None:
    r"""Put the mark in the place of each bare ``\N``; nothing if escapes, or the mark itself, are in the text."""
    if _MARK in text:
        return None
    escape = dialect.escape
    if dialect.also_null is not None:
        text = whole_value(dialect.also_null, b",", b"\n", returns=True).sub(_MARK, b"\n" + text)[1:]
    if b"\\" in text and escape in (b"\\", b""):
        text = _BARE_NULL.sub(_MARK, b"\n" + text)[1:]
    escaped = b"\\" in text or escape in text
    return None if escape and escaped else text


def _last_end(text: bytes) -> int:
    """Return where the last record ends that has an even number of quotes before its end; 0 if none does."""
    end = text.rfind(b"\n") + 1
    quotes = text.count(b'"', 0, end)
    while end and quotes % 2:
        former = text.rfind(b"\n", 0, end - 1) + 1
        quotes -= text.count(b'"', former, end)
        end = former
    return end
