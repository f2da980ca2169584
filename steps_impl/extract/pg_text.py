r"""What Postgres's COPY sends in its text format, made into rows or into the tab-separated text that Redshift reads.

COPY text has ``\N`` for NULL and writes backslash, tab, line feed, carriage return, backspace, form feed and vertical
tab as a backslash and a letter (PostgreSQL manual, *COPY*). Redshift takes the byte after a backslash as it is, so that
``\n`` would arrive as the letter n.
"""

from __future__ import annotations

import re

from steps_impl.formats.delimited import ESCAPED_MARKER, TEXT_MARKER, Row

_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_PLAIN = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_PLACE = b"\x1d"
#: The text ``\N`` as a whole field, or behind an escaped tab, where both ways to write it are the same.
_MARKER = re.compile(rb"(?:\A|(?<=[\t\n]))" + re.escape(ESCAPED_MARKER) + rb"(?=[\t\n])")
_LETTERS = (
    (rb"\n", b"\\\n"), (rb"\r", b"\\\r"), (rb"\t", b"\\\t"), (rb"\b", b"\b"), (rb"\f", b"\f"), (rb"\v", b"\v"),
)  # fmt: skip


def rows_of(block: bytes) -> list[Row]:
    """Return the rows of whole lines."""
    rows: list[Row] = [line.split(b"\t") for line in block[:-1].split(b"\n")] if block else []
    if b"\\" not in block:
        return rows
    return [_values(row) for row in rows]


def for_redshift(block: bytes) -> bytes:
    """Return whole lines as Redshift's ESCAPE reads them."""
    if b"\\" not in block:
        return block
    text = _bytes_behind_backslashes(block)
    return _MARKER.sub(lambda _: TEXT_MARKER, text) if ESCAPED_MARKER in text else text


def _bytes_behind_backslashes(block: bytes) -> bytes:
    if _PLACE in block:
        return _ESCAPED.sub(_redshift, block)
    kept = block.replace(b"\\\\", _PLACE)
    for letter, byte in _LETTERS:
        if letter in kept:
            kept = kept.replace(letter, byte)
    return kept.replace(_PLACE, b"\\\\")


def _values(row: Row) -> Row:
    return [_value(value) if value and b"\\" in value else value for value in row]


def _value(value: bytes) -> bytes | None:
    return None if value == rb"\N" else _ESCAPED.sub(lambda found: _PLAIN.get(found[1], found[1]), value)


def _redshift(found: re.Match[bytes]) -> bytes:
    letter = found[1]
    if letter in (b"n", b"r", b"t"):
        return b"\\" + _PLAIN[letter]
    return _PLAIN.get(letter, found[0])
