"""Where the fields of a record lie: delimited text, quoted text, CSV, fixed widths."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from sandbox.redshift.copy.command import CopyCommand
from sandbox.redshift.copy.faults import BadRecord, BadValue

_ESCAPED: Final = re.compile(rb"\\(.)", re.DOTALL)
_ESCAPE_COMPLAINT: Final = "Invalid escape at the end of the line"


@dataclass(frozen=True)
class Field:
    """One field; ``text`` is ``None`` for NULL, ``raw`` is what is compared with NULL AS (``None``: nothing is)."""

    text: bytes | None
    raw: bytes | None


Cutter = Callable[[bytes], list[Field]]


def field_cutter(copy: CopyCommand) -> Cutter:
    """Return the function that cuts a record (without its line end) into its fields.

    The function raises :class:`BadRecord` when quotes or escapes are open at the end.
    """
    if copy.fixed_widths:
        return _fixed(copy)
    if copy.csv:
        return _csv(copy)
    if copy.remove_quotes:
        return _unquoted(copy)
    return _delimited(copy)


def _delimited(copy: CopyCommand) -> Cutter:
    delimiter = re.escape(copy.delimiter)
    pattern = re.compile(rb"((?:[^\\" + delimiter + rb"]|\\.)*+)(" + delimiter + rb"|\Z)", re.DOTALL)

    def cut(record: bytes) -> list[Field]:
        if not copy.escape or b"\\" not in record:
            return [Field(text, text) for text in record.split(copy.delimiter)]
        return [Field(_ESCAPED.sub(rb"\1", m[1]), m[1]) for m in _walk(pattern, record, _ESCAPE_COMPLAINT)]

    return cut


def _csv(copy: CopyCommand) -> Cutter:
    delimiter, quote = re.escape(copy.delimiter), re.escape(copy.quote)
    pattern = re.compile(
        rb"(?:%b((?:[^%b]|%b%b)*+)%b|([^%b%b]*+))(%b|\Z)"
        % (quote, quote, quote, quote, quote, quote, delimiter, delimiter),
        re.DOTALL,
    )

    def cut(record: bytes) -> list[Field]:
        matches = _walk(pattern, record, "Invalid quote formatting for CSV")
        doubled = copy.quote + copy.quote
        return [Field(m[2], m[2]) if m[1] is None else Field(m[1].replace(doubled, copy.quote), None) for m in matches]

    return cut


def _unquoted(copy: CopyCommand) -> Cutter:
    """REMOVEQUOTES: a pair of single or double quotes around a field goes, delimiters inside it stay."""
    delimiter, escaped = re.escape(copy.delimiter), rb"|\\." if copy.escape else b""
    slash = rb"\\" if copy.escape else b""
    bare = rb"(?!['\"])((?:[^" + slash + delimiter + rb"]" + escaped + rb")*+)"
    quoted = rb"'((?:[^" + slash + rb"']" + escaped + rb")*+)'|\"((?:[^" + slash + rb"\"]" + escaped + rb")*+)\""
    pattern = re.compile(rb"(?:" + quoted + rb"|" + bare + rb")(" + delimiter + rb"|\Z)", re.DOTALL)

    def plain(text: bytes) -> bytes:
        return _ESCAPED.sub(rb"\1", text) if copy.escape else text

    def cut(record: bytes) -> list[Field]:
        fields = []
        for match in _walk(pattern, record, "Delimited value missing end quote"):
            inside = match[1] if match[1] is not None else match[2]
            fields.append(Field(plain(match[3]), match[3]) if inside is None else Field(plain(inside), inside))
        return fields

    return cut


def _fixed(copy: CopyCommand) -> Cutter:
    """FIXEDWIDTH counts characters; what is behind the last column is left out."""
    ends = list(accumulate(copy.fixed_widths))
    places = list(zip([0, *ends[:-1]], ends, strict=True))

    def cut(record: bytes) -> list[Field]:
        text = record.decode("utf-8", "surrogateescape")
        pieces = [text[start:end] for start, end in places if start < len(text) or start == 0]
        raws = [piece.encode("utf-8", "surrogateescape") for piece in pieces]
        return [Field(raw, raw.rstrip(b" ")) for raw in raws]

    return cut


def _walk(pattern: re.Pattern[bytes], record: bytes, complaint: str) -> list[re.Match[bytes]]:
    matches, position = [], 0
    while True:
        match = pattern.match(record, position)
        if match is None:
            raise BadRecord(BadValue(1216, complaint, position), None)
        matches.append(match)
        if not match[match.lastindex or 0]:
            return matches
        position = match.end()
