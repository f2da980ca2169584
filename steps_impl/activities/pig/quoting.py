"""Texts inside of Pig Latin, as it is before Pig puts in its parameters."""

from __future__ import annotations

import re

from core.errors import ParameterError

_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)
_ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "$": "\\$"}
_UNICODE = re.compile(r"[\x00-\x1f\x7f]")


def literal(text: str) -> str:
    """Return a string of Pig Latin; a dollar in it is no parameter."""
    escaped = "".join(_ESCAPES.get(character, character) for character in text)
    return "'" + _UNICODE.sub(lambda match: f"\\u{ord(match[0]):04x}", escaped) + "'"


def column_name(name: str, label: str) -> str:
    """Return the name of a column as Pig takes it.

    Raises:
        ParameterError: Pig has no such names.
    """
    if not _NAME.fullmatch(name):
        raise ParameterError(
            f"the column {name!r} of {label} is no name in Pig: letters, digits and underscores, a letter first"
        )
    return name
