r"""Files without quoted values to lines: each escape becomes a mark, then separators are exchanged in one pass.

Marks are control characters that text hardly ever holds; a text that holds one is left to the exact reading. They stand
for an escaped escape, NULL, an escaped separator, an escaped record end, an escaped carriage return.
"""

from __future__ import annotations

import re

from steps_impl.activities.copying.dialects import NULLS, Dialect, whole_value
from steps_impl.activities.copying.lines import NULL

_ESCAPE, _NULL, _SEPARATOR, _END, _RETURN = b"\x1c", b"\x1d", b"\x1e", b"\x1f", b"\x1a"
#: An escape of another character than lines escape, or a NULL that is no whole value; it may see some too many.
_OTHER_ESCAPE = re.compile(rb"\\(?:[^\t\n\r\\N]|N(?![\t\n])|(?<![\t\n]\\)N)")
_MARKS = (_ESCAPE, _NULL, _SEPARATOR, _END, _RETURN)


class Exchange:
    """The quick reading of one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        separators = (dialect.separator, dialect.end, dialect.escape)
        #: Whether files of the dialect are lines, as long as nothing is escaped that need not be.
        self._is_lines = separators == (b"\t", b"\n", b"\\") and not dialect.quotes and dialect.also_null is None
        self._table = bytes.maketrans(dialect.separator + dialect.end, b"\t\n")
        before = re.escape(dialect.separator + dialect.end)
        behind = rb"|\r\n|\r?\Z" if dialect.quotes else rb"|\Z"
        # The pattern begins with a plain character, which is what makes looking for it quick.
        letters = b"".join(null[1:] for null in dialect.nulls if null in NULLS)
        self._null = re.compile(rb"\\(?<=[%b]\\)[%b](?=[%b]%b)" % (before, letters, before, behind))
        escape = dialect.escape
        escaped = (
            (escape + escape, _ESCAPE),
            (escape + dialect.separator, _SEPARATOR),
            (escape + dialect.end, _END),
            (escape + b"\r", _RETURN),
        )
        self._marks = escaped if escape else ()
        self._restored = (
            (_ESCAPE, b"\\\\" if escape in (b"\\", b"") else escape),
            (_NULL, NULL),
            (_SEPARATOR, _line_form(dialect.separator)),
            (_END, _line_form(dialect.end)),
            (_RETURN, b"\\\r"),
        )

    def lines(self, text: bytes, *, final: bool) -> tuple[bytes, int] | None:
        """Return the lines of the whole records in a text and how many bytes those take; nothing if it cannot tell."""
        if self._is_lines and (lines_already := _as_it_stands(text, final=final)):
            return lines_already
        if not self._escapes(text) and b"\\" not in text and self._dialect.also_null is None:
            used = len(text) if final else text.rfind(self._dialect.end) + 1
            return self._exchanged(text[:used]), used
        if any(mark in text for mark in _MARKS):
            return None
        marked = text
        for escaped, mark in self._marks:
            if escaped in marked:
                marked = marked.replace(escaped, mark)
        end = len(marked) if final else marked.rfind(self._dialect.end) + 1
        used = len(text) - _original_length(marked[end:])
        whole = self._with_nulls(marked[:end])
        if not self._dialect.escape:
            whole = whole.replace(b"\\", _ESCAPE)
        if b"\\" in whole or self._escapes(whole):
            return None
        lines = self._exchanged(whole)
        for mark, meaning in self._restored:
            if mark in lines:
                lines = lines.replace(mark, meaning)
        return lines, used

    def _escapes(self, text: bytes) -> bool:
        return bool(self._dialect.escape) and self._dialect.escape in text

    def _with_nulls(self, whole: bytes) -> bytes:
        own = self._dialect
        if own.also_null is not None:
            pattern = whole_value(own.also_null, own.separator, own.end, returns=own.quotes)
            whole = pattern.sub(_NULL, own.end + whole)[1:]
        if b"\\" not in whole:
            return whole
        return self._null.sub(_NULL, self._dialect.end + whole)[1:]

    def _exchanged(self, whole: bytes) -> bytes:
        """Return whole records with tab and line feed as separators; what was such before is escaped."""
        dialect = self._dialect
        if whole and not whole.endswith(dialect.end):
            whole += dialect.end
        if b"\r" in whole:
            whole = (whole.replace(b"\r\n", b"\n") if dialect.quotes else whole).replace(b"\r", b"\\\r")
        for own, character in ((dialect.separator, b"\t"), (dialect.end, b"\n")):
            if own != character and character in whole and character not in (dialect.separator, dialect.end):
                whole = whole.replace(character, b"\\" + character)
        return whole if dialect.separator == b"\t" and dialect.end == b"\n" else whole.translate(self._table)


def _as_it_stands(text: bytes, *, final: bool) -> tuple[bytes, int] | None:
    """Return a text that is lines already, as our extracts write them; nothing if it may be none."""
    if b"\r" in text or _OTHER_ESCAPE.search(text) or (final and not text.endswith(b"\n")):
        return None
    end = text.rfind(b"\n") + 1
    while end and text[end - 2 : end - 1] == b"\\":  # the line feed is escaped, or a backslash before it is
        end = text.rfind(b"\n", 0, end - 1) + 1
    return (text[:end], end) if end and (end == len(text) or not final) else None


def _line_form(character: bytes) -> bytes:
    return b"\\" + character if character in b"\t\n\r" else character


def _original_length(marked: bytes) -> int:
    return len(marked) + sum(marked.count(mark) for mark in _MARKS)
