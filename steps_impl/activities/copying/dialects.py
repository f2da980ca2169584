r"""How rows stand in a file: what CSV, TSV and Custom of a pipeline definition mean.

AWS documents (Developer Guide, *CopyActivity*): a CSV has commas, line feeds, backslash as escape and no quotes, and
the text of NULL is ``\n`` (a backslash and the letter). That is what ``copy.dialect: documented`` writes. ``standard``
writes CSV with quotes (RFC 4180, every value) and ``\N`` for NULL. Both are read, whatever the setting:

- a value that begins with a double quote (CSV) ends at the next single one, and two are one; backslashes in it are text
- in any other value a backslash (or ``escapeChar``) makes the next character text
- ``\n`` and ``\N``, alone and without quotes, are NULL; nothing at all is the empty text
- a carriage return before the line feed that ends a record belongs to the end (CSV; elsewhere it is text)
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from core.errors import ParameterError

Writing = Literal["documented", "standard"]

#: The texts of NULL that are read; the first is AWS's, the second that of COPY and UNLOAD.
NULLS = (rb"\n", rb"\N")
_NULL_OF: Mapping[str, bytes] = {"documented": NULLS[0], "standard": NULLS[1]}
_NOTATIONS = {r"\t": "\t", r"\n": "\n", r"\r": "\r", r"\\": "\\", r"\0": "\0"}
_NUMBERED = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u00([0-9A-Fa-f]{2}))|\\([0-7]{3})")


@dataclass(frozen=True)
class Dialect:
    r"""Bytes between values, at a record's end and before a character that is text; each is one byte.

    ``escape`` may be empty: then a backslash is text (RFC 4180), and only ``\N`` is NULL.
    """

    separator: bytes = b","
    end: bytes = b"\n"
    escape: bytes = b"\\"
    #: Whether values may be read in double quotes, and whether they are written so.
    quotes: bool = False
    quoted: bool = False
    #: The text of NULL that is written.
    null: bytes = NULLS[0]
    #: A text that is read as NULL, too, where it is a whole value without quotes.
    also_null: bytes | None = None

    @property
    def nulls(self) -> tuple[bytes, ...]:
        """The texts that are NULL where they are a whole value without quotes."""
        own = NULLS if self.escape else NULLS[1:]
        return own if self.also_null is None else (*own, self.also_null)

    def reads_like(self, other: Dialect) -> bool:
        """Whether files of one are files of the other, however either is written."""
        return self._reading() == other._reading()

    def _reading(self) -> Dialect:
        return replace(self, quoted=False, null=NULLS[0])


@functools.cache
def whole_value(text: bytes, separator: bytes, end: bytes, *, returns: bool) -> re.Pattern[bytes]:
    """Return what finds a text that is a whole value without quotes, in records that have an ``end`` before them.

    With ``returns`` a carriage return may stand before the end of a record.
    """
    between, last = re.escape(separator), re.escape(end)
    whole = rb"[%b%b]%b" % (between, last, rb"|\r(?:\n|\Z)" if returns else b"")
    behind = rb"(?=%b|\Z)" % whole
    if text:
        return re.compile(rb"(?<=[%b%b])%b%b" % (between, last, re.escape(text), behind))
    return re.compile(rb"(?<=%b)%b|(?<=%b)(?=%b)" % (between, behind, last, whole))


def csv(writing: Writing, escape: str | None = None) -> Dialect:
    """Return the CSV of a definition; with an ``escapeChar`` of its own it is written with escapes, not quotes."""
    quoted = writing == "standard" and escape is None
    return Dialect(escape=_character("escapeChar", escape, "\\"), quotes=True, quoted=quoted, null=_NULL_OF[writing])


#: CSV as COPY, UNLOAD and RFC 4180 have it: quotes where they are needed, and no escapes.
PLAIN_CSV = Dialect(escape=b"", quotes=True, quoted=True, null=NULLS[1])


def separated(
    writing: Writing, separator: str | None = None, end: str | None = None, escape: str | None = None
) -> Dialect:
    """Return the TSV or Custom of a definition.

    Raises:
        ParameterError: a separator or escape is no single ASCII character, or two of them are the same.
    """
    dialect = Dialect(
        separator=_character("columnSeparator", separator, "\t"),
        end=_character("recordSeparator", end, "\n"),
        escape=_character("escapeChar", escape, "\\"),
        null=_NULL_OF[writing],
    )
    if len({dialect.separator, dialect.end, dialect.escape}) < 3:
        raise ParameterError("columnSeparator, recordSeparator and escapeChar must be three different characters")
    return dialect


def _character(field: str, text: str | None, default: str) -> bytes:
    character = default if text is None or text == "" else _plain(text)
    if len(character) != 1 or not character.isascii():
        raise ParameterError(f"{field} must be one ASCII character (\\t, \\001 and \\x01 are read), not {text!r}")
    return character.encode("ascii")


def _plain(text: str) -> str:
    r"""Return the character that a notation such as ``\t`` or ``\001`` stands for, else the text itself."""
    if text in _NOTATIONS:
        return _NOTATIONS[text]
    match = _NUMBERED.fullmatch(text)
    return chr(int(match[1] or match[2], 16) if match[1] or match[2] else int(match[3], 8)) if match else text
