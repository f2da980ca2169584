"""Words of a Redshift statement, each with its place: quotes, comments and dollar quotes are understood."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from core.errors import DefinitionError


class Kind(Enum):
    """What a token is."""

    WORD = "word"
    QUOTED = "quoted name"
    STRING = "string"
    NUMBER = "number"
    SYMBOL = "symbol"
    END = "end"


@dataclass(frozen=True)
class Token:
    """One token; ``text`` as it is written, ``value`` without its quotes."""

    kind: Kind
    text: str
    value: str
    line: int
    column: int
    #: Where it begins in the text, in characters.
    start: int = 0

    @property
    def word(self) -> str:
        """The keyword in capitals; empty for anything but a bare word."""
        return self.value.upper() if self.kind is Kind.WORD else ""

    def __str__(self) -> str:
        return "the end of the definition" if self.kind is Kind.END else repr(self.text)


_PATTERN = re.compile(
    r"""
    (?P<SKIP>   \s+ | --[^\n]* )
  | (?P<QUOTED> "(?:[^"]|"")+" | `[^`]+` )
  | (?P<STRING> [eE]?'(?:[^'\\]|''|\\.)*' | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ )
  | (?P<NUMBER> (?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?!\w) )
  | (?P<WORD>   [^\W\d]\w*(?:\$\w*)* | \#\w+ )
  | (?P<SYMBOL> :: | \|\| | [(),.;+*/%<>=!~^&|@?:\-\[\]{}] )
    """,
    re.VERBOSE | re.DOTALL,
)


def tokenize(text: str) -> list[Token]:
    """Split a statement into tokens, without white space and comments; the last one is ``Kind.END``.

    Raises:
        DefinitionError: a quote or comment that is not closed, or a character that SQL does not have.
    """
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        if text.startswith("/*", position):
            position = _end_of_comment(text, position)
            continue
        match = _PATTERN.match(text, position)
        if match is None:
            raise DefinitionError(f"{_place(text, position)}: {_unreadable(text[position])}")
        kind = match.lastgroup if match.lastgroup != "tag" else "STRING"
        if kind != "SKIP":
            line, column = _line_and_column(text, position)
            written = match.group()
            tokens.append(Token(Kind[str(kind)], written, _value(Kind[str(kind)], written), line, column, position))
        position = match.end()
    tokens.append(Token(Kind.END, "", "", *_line_and_column(text, position), position))
    return tokens


def statements_in(text: str) -> int:
    """Return how many statements a text holds (empty ones between semicolons do not count)."""
    count, open_statement = 0, False
    for token in tokenize(text):
        if token.kind is Kind.END or token.text == ";":
            count, open_statement = count + open_statement, False
        else:
            open_statement = True
    return count


def _end_of_comment(text: str, start: int) -> int:
    """Return the position after a block comment; they nest, as in Postgres."""
    depth, position = 0, start
    for match in re.compile(r"/\*|\*/").finditer(text, start):
        depth += 1 if match.group() == "/*" else -1
        position = match.end()
        if depth == 0:
            return position
    raise DefinitionError(f"{_place(text, start)}: this comment is never closed; end it with */")


def _value(kind: Kind, written: str) -> str:
    if kind is Kind.QUOTED:
        return written[1:-1].replace('""', '"')
    return written


def _unreadable(character: str) -> str:
    if character in "'\"`":
        return f"the quote {character} is never closed"
    return f"{character!r} is not understood"


def _line_and_column(text: str, position: int) -> tuple[int, int]:
    line_start = text.rfind("\n", 0, position) + 1
    return text.count("\n", 0, position) + 1, position - line_start + 1


def _place(text: str, position: int) -> str:
    line, column = _line_and_column(text, position)
    return f"line {line}, column {column}"
