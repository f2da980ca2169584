"""A query that a user wrote, on its way into a statement of ours."""

from __future__ import annotations

import re
from typing import Literal

Dialect = Literal["mysql", "postgres"]

QUOTED = r"""'(?:[^'\\]|''|\\.)*'|"(?:[^"\\]|""|\\.)*"|`(?:[^`]|``)*`"""
#: MySQL's ``--`` needs a blank behind it (``5--1`` is 6), its ``#`` opens a comment, and ``/*!`` is a statement's part.
COMMENTS = {
    "mysql": r"--(?=\s|\Z)[^\n]*|\#[^\n]*|/\*(?!!).*?\*/",
    "postgres": r"--[^\n]*|/\*.*?\*/",
}
_TOKENS = {
    dialect: re.compile(rf"(?P<nothing>{comment}|[\s;]+)|{QUOTED}|.", re.DOTALL)
    for dialect, comment in COMMENTS.items()
}


def bare_query(text: str, dialect: Dialect) -> str:
    """Return a query without the semicolons, comments and blanks behind it, so that it can stand in brackets.

    Nothing inside is touched. ``postgres`` is the spelling of Redshift too.
    """
    end = 0
    for token in _TOKENS[dialect].finditer(text):
        if token.lastgroup != "nothing":
            end = token.end()
    return text[:end].lstrip()
