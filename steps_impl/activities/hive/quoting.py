r"""Names, texts and types in HiveQL, so that nothing in a definition can become a statement.

Hive's command line looks for the ends of statements before it looks at quotes (and takes ``'"'`` for an open quote),
and replaces ``${…}`` inside of texts too. So a text has no such character at all: Hive reads ``\u003B`` as well as
``;``.
"""

from __future__ import annotations

import re

from core.errors import ParameterError

_PLAIN = re.compile(r"[A-Za-z0-9 _.:/@,=+*()<>\[\]-]")
#: ``DECIMAL(10,2)``, ``ARRAY<STRING>``, ``MAP<STRING,STRUCT<a:INT>>``.
_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:[A-Za-z0-9_<>,:() ]*)")
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f;'\"\\]|\$\{")


def literal(text: str) -> str:
    """Return a text as a string of HiveQL."""
    return "'" + "".join(character if _PLAIN.match(character) else _escape(character) for character in text) + "'"


def name(text: str) -> str:
    """Return a name in backquotes.

    Raises:
        ParameterError: it has a character with which Hive's command line cannot take a name, even quoted.
    """
    if not text or _NOT_IN_NAMES.search(text):
        raise ParameterError(f"{text!r} cannot be the name of a column in Hive; give it another one")
    return "`" + text.replace("`", "``") + "`"


def type_name(text: str, column: str) -> str:
    """Return the type of a column, ``STRING`` when it has none.

    Raises:
        ParameterError: it does not look like a type.
    """
    if not text:
        return "STRING"
    if not _TYPE.fullmatch(text) or any(text.count(left) != text.count(right) for left, right in ("()", "<>")):
        raise ParameterError(f"the column {column!r} has {text!r} as its type, which is none of Hive's")
    return text


def properties(values: dict[str, str]) -> str:
    """Return ``('key'='value', …)``."""
    return "(" + ", ".join(f"{literal(key)}={literal(value)}" for key, value in values.items()) + ")"


def _escape(character: str) -> str:
    """Return Java's escape of a character, a pair of them for one beyond the first 65,536."""
    code = character.encode("utf-16-be")
    return "".join(f"\\u{code[at]:02X}{code[at + 1]:02X}" for at in range(0, len(code), 2))
