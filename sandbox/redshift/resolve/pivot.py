"""PIVOT and UNPIVOT in a FROM clause (Developer Guide, "FROM clause", "PIVOT and UNPIVOT examples").

Both keep the columns of their table that they do not name, so that Postgres is asked which there are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sandbox.redshift.blocks import closing, find_blocks, innermost
from sandbox.redshift.cursor import Cursor, quote_name, quote_text, split_commas
from sandbox.redshift.errors import SYNTAX, SqlError
from sandbox.redshift.tokens import Kind, Statement, Token, split

#: Returns the names of a query's columns.
Describe = Callable[[str], list[str]]

_AGGREGATES: Final = ("count", "sum", "min", "max", "avg")
_WORDS: Final = ("pivot", "unpivot")


@dataclass(frozen=True)
class _Turn:
    """One PIVOT or UNPIVOT, by places: its table, its word, its brackets."""

    source: int
    word: int
    opening: int
    closing: int


def has_pivot(tokens: list[Token]) -> bool:
    """Say whether a table is turned in a statement."""
    return any(_opening(tokens, at) for at in range(1, len(tokens)))


def rewrite_pivot(statement: Statement, describe: Describe) -> Statement:
    """Return the statement without PIVOT and UNPIVOT.

    Raises:
        SqlError: one is not written as Redshift has it.
    """
    while has_pivot(statement.tokens):
        turn = _find(statement.tokens)
        start, end = statement.tokens[turn.source].start, statement.tokens[turn.closing].end
        before, behind = statement.text[: start - statement.offset], statement.text[end - statement.offset :]
        alias = "" if _has_alias(statement.tokens, turn.closing + 1) else " AS turned"
        (statement,) = split(f"{before}({_Writer(statement, turn, describe).write()}){alias}{behind}")
    return statement


def _opening(tokens: list[Token], at: int) -> int:
    """Return where the bracket behind PIVOT or UNPIVOT opens; 0 when there is none at this place."""
    if not tokens[at].is_word(*_WORDS) or tokens[at - 1].is_sign(".") or tokens[at - 1].is_word("as"):
        return 0
    behind = at + 3 if at + 2 < len(tokens) and tokens[at + 2].is_word("nulls") else at + 1
    is_whole = behind < len(tokens) and tokens[behind].is_sign("(") and closing(tokens, behind) < len(tokens)
    return behind if is_whole else 0


def _has_alias(tokens: list[Token], at: int) -> bool:
    return at < len(tokens) and (tokens[at].is_word("as") or (tokens[at].is_name and not tokens[at].is_word(*_BEHIND)))


_BEHIND: Final = (
    *("where", "group", "having", "order", "limit", "union", "except", "minus", "intersect", "qualify", "offset"),
    *("join", "left", "right", "full", "inner", "cross", "natural", "on", "window"),
)


def _find(tokens: list[Token]) -> _Turn:
    word = next(at for at in range(1, len(tokens)) if _opening(tokens, at))
    block, opening = innermost(find_blocks(tokens), word), _opening(tokens, word)
    if block is None or not block.source < word:
        raise SqlError(f'syntax error at or near "{tokens[word].text}"', SYNTAX)
    source, depth = block.source + 1, 0
    for at in range(block.source + 1, word):
        depth += tokens[at].is_sign("(") - tokens[at].is_sign(")")
        if depth == 0 and (tokens[at].is_sign(",") or tokens[at].is_word("join")):
            source = at + 1
    if source == word:
        raise SqlError(f'syntax error at or near "{tokens[word].text}"', SYNTAX)
    return _Turn(source, word, opening, closing(tokens, opening))


def with_queries(statement: Statement, place: int) -> str:
    """Return the WITH clause of a statement, whose queries a table at a place may be one of."""
    tokens = statement.tokens
    if not tokens[0].is_word("with"):
        return ""
    depth = 0
    for at, token in enumerate(tokens[: place + 1]):
        depth += token.is_sign("(") - token.is_sign(")")
        if depth == 0 and token.is_word("select"):
            return f"{statement.text[: token.start - statement.offset]} " if at else ""
    return ""  # it is in one of them


class _Writer:
    """Writes one of them as a query of its own."""

    def __init__(self, statement: Statement, turn: _Turn, describe: Describe) -> None:
        self._statement = statement
        self._turn = turn
        tokens = statement.tokens
        self._source = self._text(tokens[turn.source : turn.word])
        if tokens[turn.word - 1].is_sign(")"):
            self._source += " AS source"
        self._columns = describe(f"{with_queries(statement, turn.word)}SELECT * FROM {self._source}")
        self._cursor = Cursor(statement, tokens[turn.opening + 1 : turn.closing])

    def write(self) -> str:
        turn, tokens = self._turn, self._statement.tokens
        if tokens[turn.word].is_word("pivot"):
            return self._pivot()
        return self._unpivot(keep_nulls=tokens[turn.word + 1].is_word("include"))

    def _text(self, tokens: list[Token]) -> str:
        offset = self._statement.offset
        return self._statement.text[tokens[0].start - offset : tokens[-1].end - offset]

    def _others(self, *used: str) -> list[str]:
        return [quote_name(column) for column in self._columns if column not in used]

    def _pivot(self) -> str:
        aggregates = self._aggregates()
        column = self._cursor.name()
        turned = []
        for value, given in self._list():
            title = given or _default_title(value)
            found = f"{quote_name(column)} IS NOT DISTINCT FROM ({self._text(value)})"
            for call, alias, _ in aggregates:
                name = quote_name(f"{title}_{alias}" if alias else title)
                turned.append(f"{call} FILTER (WHERE {found}) AS {name}")
        kept = self._others(column, *(name for _, _, names in aggregates for name in names))
        grouped = f" GROUP BY {', '.join(kept)}" if kept else ""
        return f"SELECT {', '.join([*kept, *turned])} FROM {self._source}{grouped}"

    def _aggregates(self) -> list[tuple[str, str, set[str]]]:
        """Read the aggregates before FOR: the call, its alias, the names in it."""
        cursor, read = self._cursor, [self._aggregate()]
        while cursor.accept_sign(","):
            read.append(self._aggregate())
        cursor.expect("for")
        return read

    def _aggregate(self) -> tuple[str, str, set[str]]:
        cursor, first = self._cursor, self._cursor.token
        if cursor.qualified_name()[-1] not in _AGGREGATES:
            raise SqlError("PIVOT takes COUNT, SUM, MIN, MAX and AVG", SYNTAX)
        assert first is not None  # a name was read
        inside = cursor.bracketed()
        call = self._text([first, *inside]) + ")"
        if cursor.accept("as") or (cursor.token is not None and cursor.token.is_name and not cursor.peek("for")):
            return call, cursor.name(), {token.name for token in inside if token.is_name}
        return call, "", {token.name for token in inside if token.is_name}

    def _list(self) -> list[tuple[list[Token], str]]:
        """Read what follows IN: each value, and its alias."""
        self._cursor.expect("in")
        parts = split_commas(self._cursor.bracketed())
        if self._cursor.token is not None or not all(parts):
            raise self._cursor.fail()
        return [_value_and_alias(part) for part in parts]

    def _unpivot(self, *, keep_nulls: bool) -> str:
        cursor = self._cursor
        value = cursor.name()
        cursor.expect("for")
        name = cursor.name()
        columns = [(tokens[-1].name, alias) for tokens, alias in self._list()]
        rows = ", ".join(
            f"({quote_text(alias or column)}::pg_catalog.varchar, {quote_name(column)})" for column, alias in columns
        )
        listed = ", ".join([*self._others(*(column for column, _ in columns)), quote_name(name), quote_name(value)])
        taken = f"(VALUES {rows}) AS taken ({quote_name(name)}, {quote_name(value)})"
        some = "" if keep_nulls else f" WHERE {quote_name(value)} IS NOT NULL"
        return f"SELECT {listed} FROM {self._source} CROSS JOIN LATERAL {taken}{some}"


def _value_and_alias(tokens: list[Token]) -> tuple[list[Token], str]:
    if len(tokens) > 2 and tokens[-2].is_word("as"):
        return tokens[:-2], _title(tokens[-1])
    if len(tokens) > 1 and tokens[-1].is_name and tokens[-2].kind is not Kind.SIGN:
        return tokens[:-1], _title(tokens[-1])
    return tokens, ""


def _default_title(value: list[Token]) -> str:
    """A constant is its own title; any other expression has the one that a column without a name has."""
    if len(value) == 1:
        return _title(value[0])
    is_signed = len(value) == 2 and value[0].text in ("-", "+") and value[1].kind is Kind.NUMBER
    return f"{value[0].text}{value[1].text}" if is_signed else "?column?"


def _title(token: Token) -> str:
    return token.value if token.kind is Kind.STRING else token.name if token.is_name else token.text
