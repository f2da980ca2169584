"""QUALIFY: rows chosen by a window function, which Postgres has not (Developer Guide, "QUALIFY clause").

The query becomes one around it, which keeps the rows for which the condition holds. ``SELECT *`` works for one table or
subquery in FROM: its rows travel as a whole. A name that the select list gives may be used in the condition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sandbox.redshift.cursor import quote_name, split_commas
from sandbox.redshift.errors import SqlError, unknown
from sandbox.redshift.resolve.excluded import has_excluded
from sandbox.redshift.tokens import Kind, Statement, Token, split

_ENDS: Final = ("order", "limit", "offset", "union", "except", "intersect", "minus", "qualify", "with")
_BEFORE_FILTER: Final = ("where", "group", "having", "window")
_JOINS: Final = ("join", "cross", "natural", "lateral")


@dataclass(frozen=True)
class _Block:
    """The places of one query's parts among the tokens: from SELECT to past the end of QUALIFY's condition."""

    select: int
    source: int
    qualify: int
    end: int


def has_qualify(tokens: list[Token]) -> bool:
    """Say whether there is a QUALIFY in a statement."""
    return any(token.is_word("qualify") for token in tokens[1:])


def rewrite_qualify(statement: Statement) -> Statement:
    """Return the statement without QUALIFY.

    Raises:
        SqlError: a query with it is not one that this can do.
    """
    while has_qualify(statement.tokens):
        block = _find(statement.tokens)
        written = _Writer(statement, block).write()
        start = statement.tokens[block.select].start - statement.offset
        end = statement.tokens[block.end - 1].end - statement.offset
        (statement,) = split(statement.text[:start] + written + statement.text[end:])
    return statement


def _find(tokens: list[Token]) -> _Block:
    """Find the first QUALIFY and the query that it belongs to."""
    place = next(at for at, token in enumerate(tokens) if at and token.is_word("qualify"))
    select = source = -1
    depth = 0
    for at in range(place - 1, -1, -1):
        depth += tokens[at].is_sign(")") - tokens[at].is_sign("(")
        if depth < 0:
            break
        if depth == 0 and tokens[at].is_word("from") and not tokens[at - 1].is_word("distinct"):
            source = at
        if depth == 0 and tokens[at].is_word("select"):
            select = at
            break
    end = _end(tokens, place + 1)
    # Between any two of them there is something.
    if not 0 <= select < source - 1 < place - 2 or end == place + 1:
        raise SqlError('syntax error at or near "QUALIFY"', "42601")
    return _Block(select, source, place, end)


def _end(tokens: list[Token], start: int) -> int:
    depth = 0
    for at in range(start, len(tokens)):
        depth += tokens[at].is_sign("(") - tokens[at].is_sign(")")
        if depth < 0 or (depth == 0 and tokens[at].is_word(*_ENDS)):
            return at
    return len(tokens)


class _Writer:
    """Writes one query anew."""

    def __init__(self, statement: Statement, block: _Block) -> None:
        self._statement = statement
        self._tokens = statement.tokens
        self._block = block
        self._source = self._text(self._tokens[block.source : block.qualify])
        self._condition = self._tokens[block.qualify + 1 : block.end]

    def write(self) -> str:
        if has_excluded(self._tokens[self._block.select : self._block.source]):
            raise unknown("QUALIFY with EXCLUDE")
        items = self._tokens[self._block.select + 1 : self._block.source]
        distinct = "DISTINCT " if items[0].is_word("distinct") else ""
        listed = split_commas(items[1:] if distinct else items)
        if not all(listed):
            raise SqlError('syntax error in the select list before "QUALIFY"', "42601")
        if any(item[-1].is_sign("*") for item in listed):
            return self._whole_rows(listed, distinct)
        inner, outer, named = [], [], {}
        for number, item in enumerate(listed):
            expression, name = _expression_and_name(item)
            inner.append(f"{self._text(expression)} AS c{number}")
            outer.append(f"c{number} AS {quote_name(name)}")
            named[name] = self._text(expression)
        condition = self._with_names(named)
        kept = f"SELECT {', '.join(inner)}, ({condition}) AS passes {self._source}"
        return f"SELECT {distinct}{', '.join(outer)} FROM ({kept}) AS qualified WHERE passes"

    def _whole_rows(self, listed: list[list[Token]], distinct: str) -> str:
        alias = _only_source(self._tokens[self._block.source + 1 : self._block.qualify])
        if len(listed) > 1 or alias is None:
            raise unknown("QUALIFY with * beside other columns or over several tables")
        condition = self._text(self._condition)
        kept = f"SELECT {alias} AS kept, ({condition}) AS passes FROM (SELECT * {self._source}) AS {alias}"
        return f"SELECT {distinct}(qualified.kept).* FROM ({kept}) AS qualified WHERE passes"

    def _with_names(self, named: dict[str, str]) -> str:
        """Return the condition with the expressions for the names that the select list gives."""
        tokens = self._condition
        changes = [
            (token, f"({named[token.name]})")
            for at, token in enumerate(tokens)
            if token.is_name
            and token.name in named
            and not (at and tokens[at - 1].is_sign("."))
            and not (at + 1 < len(tokens) and (tokens[at + 1].is_sign("(") or tokens[at + 1].is_sign(".")))
        ]
        start, end = tokens[0].start, tokens[-1].end
        text = self._statement.text[start - self._statement.offset : end - self._statement.offset]
        return Statement(text, start, tokens).replace(changes)

    def _text(self, tokens: list[Token]) -> str:
        offset = self._statement.offset
        return self._statement.text[tokens[0].start - offset : tokens[-1].end - offset]


def _expression_and_name(item: list[Token]) -> tuple[list[Token], str]:
    """Return what a column of a select list is, and what it is called."""
    last = item[-1]
    if len(item) > 2 and item[-2].is_word("as"):
        return item[:-2], last.name
    if len(item) > 1 and last.is_name and _ends_expression(item[-2]) and not last.is_word("end"):
        return item[:-1], last.name
    if last.is_name and (len(item) == 1 or item[-2].is_sign(".")):
        return item, last.name
    return item, item[0].name if len(item) > 1 and item[0].is_name and item[1].is_sign("(") else "?column?"


def _ends_expression(token: Token) -> bool:
    return token.kind is not Kind.SIGN or token.is_sign(")")


def _only_source(tokens: list[Token]) -> str | None:
    """Return how the one table or subquery of a FROM clause is called; ``None`` when there are several."""
    depth, taken = 0, []
    for token in tokens:
        depth += token.is_sign("(") - token.is_sign(")")
        if depth == 0 and token.is_word(*_BEFORE_FILTER):
            break
        if depth == 0 and (token.is_sign(",") or token.is_word(*_JOINS)):
            return None
        taken.append(token)
    if not taken:
        return None
    last = taken[-1]
    return quote_name(last.name) if last.is_name else None
