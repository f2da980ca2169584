"""A cursor over tokens: look, take, demand; every fault names line and column."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn, TypeVar

from core.errors import DefinitionError
from steps_impl.tables.model import TableName
from steps_impl.tables.tokens import Kind, Token, tokenize

T = TypeVar("T")

#: Words that Redshift does not take as a bare name of a column or table (the ones that a definition could meet).
_RESERVED_WORDS = """
    ALL AND ANY AS ASC BETWEEN BOTH CASE CAST CHECK COLLATE COLUMN CONSTRAINT CREATE CROSS CURRENT_DATE CURRENT_TIME
    CURRENT_TIMESTAMP CURRENT_USER DEFAULT DEFERRABLE DESC DISTINCT DO ELSE ENCODE END EXCEPT FALSE FOR FOREIGN FREEZE
    FROM FULL GRANT GROUP HAVING IDENTITY IN INITIALLY INNER INTERSECT INTO IS JOIN LEADING LEFT LIKE LIMIT LOCALTIME
    NATURAL NOT NOTNULL NULL OFF OFFSET ON ONLY OR ORDER OUTER PRIMARY REFERENCES RIGHT SELECT SESSION_USER SIMILAR SOME
    TABLE THEN TO TOP TRAILING TRUE UNION UNIQUE USER USING VERBOSE WHEN WHERE WITH
"""
RESERVED = frozenset(_RESERVED_WORDS.split())


class TokenReader:
    """Walks through the tokens of one statement."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokenize(text)
        self._index = 0

    @property
    def token(self) -> Token:
        """The token that comes next."""
        return self._tokens[self._index]

    def advance(self) -> Token:
        """Take one token."""
        token = self.token
        if token.kind is not Kind.END:
            self._index += 1
        return token

    def sees(self, *words: str) -> bool:
        """Tell whether these words (or symbols) come next."""
        upcoming = self._tokens[self._index : self._index + len(words)]
        found = tuple(token.word or (token.text if token.kind is Kind.SYMBOL else "") for token in upcoming)
        return found == words

    def takes(self, *words: str) -> bool:
        """Take these words if they come next, and tell whether they did."""
        if not self.sees(*words):
            return False
        self._index += len(words)
        return True

    def demand(self, *words: str) -> None:
        """Take these words or fail."""
        if not self.takes(*words):
            self.fail(f"expected {' '.join(words)}, found {self.token}")

    def fail(self, message: str, at: Token | None = None) -> NoReturn:
        """Raise a ``DefinitionError`` that names the place."""
        token = at or self.token
        raise DefinitionError(f"line {token.line}, column {token.column}: {message}")

    def identifier(self, what: str) -> str:
        """Take a name; Redshift keeps names in small letters, quoted ones too (its default setting)."""
        token = self.token
        if token.kind is not Kind.QUOTED and (token.kind is not Kind.WORD or token.word in RESERVED):
            self.fail(f"expected the name of {what}, found {token}" + (_QUOTE_HINT if token.word in RESERVED else ""))
        return self.advance().value.lower()

    def table_name(self) -> TableName:
        """Take ``[schema.]name``."""
        first = self.identifier("a table")
        if not self.takes("."):
            return TableName(first)
        name = TableName(self.identifier("a table"), first)
        if self.sees("."):
            self.fail("a table is named schema.table; leave the database out")
        return name

    def whole_number(self) -> int:
        """Take an integer, with an optional minus."""
        sign = -1 if self.takes("-") else 1
        if self.token.kind is not Kind.NUMBER or not self.token.text.isdigit():
            self.fail(f"expected a whole number, found {self.token}")
        return sign * int(self.advance().text)

    def listed(self, item: Callable[[], T]) -> tuple[T, ...]:
        """Take ``(item, item, …)``."""
        self.demand("(")
        items = [item()]
        while self.takes(","):
            items.append(item())
        self.demand(")")
        return tuple(items)

    def written(self, start: int) -> str:
        """Return the tokens from a position up to here as one text, one space between words."""
        text = ""
        previous: Token | None = None
        for token in self._tokens[start : self._index]:
            text += (" " if previous and _needs_space(previous, token) else "") + token.text
            previous = token
        return text

    def source(self, first: int, behind: int) -> str:
        """Return the text between two positions as the author wrote it, comments inside included."""
        return self._text[self._tokens[first].start : self._tokens[behind].start].strip()

    @property
    def position(self) -> int:
        """The number of tokens taken so far; for ``written`` and ``source``."""
        return self._index


def read_table_name(text: str) -> TableName:
    """Return the table that a text names, ``table`` or ``schema.table``, perhaps in double quotes.

    Raises:
        DefinitionError: it is no such name, or goes on behind it.
    """
    reader = TokenReader(text)
    name = reader.table_name()
    if reader.token.kind is not Kind.END:
        reader.fail("one table is named, as schema.table")
    return name


def checked_table_name(text: str) -> str:
    """Return the text that names one table; for a field of a model.

    Raises:
        ValueError: it is no such name, or goes on behind it.
    """
    try:
        read_table_name(text)
    except DefinitionError as error:
        raise ValueError(str(error)) from None
    return text


_QUOTE_HINT = " (a reserved word; put it in double quotes)"
_TIGHT_BEFORE = frozenset({"(", ")", ",", ".", "::"})
_TIGHT_AFTER = frozenset({"(", ".", "::"})


def _needs_space(left: Token, right: Token) -> bool:
    return right.text not in _TIGHT_BEFORE and left.text not in _TIGHT_AFTER
