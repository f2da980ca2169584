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


def limits_rows(query: str) -> bool:
    """Tell whether a query of the warehouse has, outside of all brackets, a word that limits its rows.

    UNLOAD refuses it there (Developer Guide, UNLOAD, "Usage notes"). A column of that name is taken for one too.
    """
    depth = 0
    for token in _WORDS.finditer(query):
        if token.lastgroup == "bracket":
            depth += 1 if token[0] == "(" else -1
        elif token.lastgroup == "word" and not depth and token[0].upper() in _LIMITS:
            return True
    return False


_LIMITS = frozenset({"FETCH", "LIMIT", "OFFSET", "TOP"})
_WORDS = re.compile(rf"{COMMENTS['postgres']}|{QUOTED}|(?P<bracket>[()])|(?P<word>[A-Za-z_]\w*)|.", re.DOTALL)
