"""``insertQuery``: where its question marks are, and whether a bulk load says the same.

A question mark in quotes or in a comment is none; for Postgres two of them are one that is meant (its JDBC driver's
rule: ``?`` is an operator there too).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.errors import ParameterError, SchemaMismatch
from steps_impl.queries import COMMENTS, QUOTED, Dialect, bare_query

_NAME = r"""(?:`(?:[^`]|``)+`|"(?:[^"]|"")+"|[^\s`"(),.;?'=]+)"""
QUOTES = '`"'
_TABLE = rf"{_NAME}(?:\s*\.\s*{_NAME})*"
_PLAIN = re.compile(
    rf"INSERT\s+INTO\s+(?P<table>{_TABLE})\s*(?:\(\s*(?P<columns>{_NAME}(?:\s*,\s*{_NAME})*)\s*\)\s*)?"
    r"VALUES\s*\(\s*\?(?:\s*,\s*\?)*\s*\)",
    re.IGNORECASE,
)
_TUPLE = re.compile(r"\bVALUES?\s*\Z", re.IGNORECASE)


@dataclass(frozen=True)
class InsertQuery:
    """A statement with places for values."""

    #: The text around the places: one more than there are places.
    pieces: tuple[str, ...]
    #: The table and the columns as they are written, when the statement does no more than put values there.
    table: str | None = None
    columns: str | None = None
    #: What stands before the brackets that hold all places, and behind them, where several brackets may follow.
    head: str | None = None
    tail: str | None = None

    @property
    def places(self) -> int:
        """The number of values that it takes."""
        return len(self.pieces) - 1

    def column_names(self, folded: Callable[[str], str]) -> tuple[str, ...]:
        """Return the names of ``columns``; ``folded`` gives the case in which the engine keeps one without quotes."""
        return tuple(
            folded(name) if name[0] not in QUOTES else name[1:-1].replace(2 * name[0], name[0])
            for name in re.findall(_NAME, self.columns or "")
        )

    def repeated(self) -> tuple[str, tuple[str, ...], str] | None:
        """Return head, the pieces of one pair of brackets, and tail; nothing when rows cannot share a statement."""
        if self.head is None or self.tail is None:
            return None
        first = self.pieces[0][len(self.head) :]
        last = self.pieces[-1][: len(self.pieces[-1]) - len(self.tail)]
        return self.head, (first, *self.pieces[1:-1], last), self.tail


def parse_insert_query(text: str, dialect: Dialect) -> InsertQuery:
    """Return the statement of an ``insertQuery``.

    Raises:
        ParameterError: it is empty or has no ``?``.
    """
    bare = bare_query(text, dialect)
    pieces = _split(bare, dialect)
    if len(pieces) < 2:
        raise ParameterError("insertQuery has no ? for a value; write INSERT INTO … VALUES (?, ?)")
    plain = _PLAIN.fullmatch(bare)
    head, tail = _brackets(pieces, dialect)
    if plain:
        return InsertQuery(pieces, plain["table"], plain["columns"], head, tail)
    return InsertQuery(pieces, head=head, tail=tail)


def require_places(query: InsertQuery, names: Sequence[str] | None, label: str) -> None:
    """Refuse a statement that takes another number of values than the input has columns, where that is known.

    Raises:
        SchemaMismatch: the numbers differ.
    """
    if names is not None and len(names) != query.places:
        has = f"{len(names)} columns ({', '.join(names)})"
        raise SchemaMismatch(
            f"insertQuery of {label} takes {query.places} values, the input has {has}; make them equal"
        )


def _words(text: str, dialect: Dialect) -> list[str]:
    pattern = re.compile(rf"{COMMENTS[dialect]}|{QUOTED}|\?\?|.", re.DOTALL)
    return [match[0] for match in pattern.finditer(text)]


def _split(text: str, dialect: Dialect) -> tuple[str, ...]:
    pieces = [""]
    for word in _words(text, dialect):
        if word == "??" and dialect == "mysql":
            pieces += ["", ""]
        elif word == "??":
            pieces[-1] += "?"
        elif word == "?":
            pieces.append("")
        else:
            pieces[-1] += word
    return tuple(pieces)


def _brackets(pieces: tuple[str, ...], dialect: Dialect) -> tuple[str | None, str | None]:
    """Return what is before and behind the one pair of brackets after VALUES that holds all places."""
    start = _opening(pieces[0], dialect)
    if start is None or not _TUPLE.search(pieces[0][:start]):
        return None, None
    depth = 1
    for number, piece in enumerate((pieces[0][start + 1 :], *pieces[1:])):
        position = 0
        for word in _words(piece, dialect):
            position += len(word)
            depth += {"(": 1, ")": -1}.get(word, 0)
            if not depth:
                last = number == len(pieces) - 1
                return (pieces[0][:start], piece[position:]) if last else (None, None)
    return None, None


def _opening(text: str, dialect: Dialect) -> int | None:
    """Return where the outermost bracket begins that is still open at the end of a text."""
    opened: list[int] = []
    position = 0
    for word in _words(text, dialect):
        if word == "(":
            opened.append(position)
        elif word == ")" and opened:
            opened.pop()
        position += len(word)
    return opened[0] if opened else None
