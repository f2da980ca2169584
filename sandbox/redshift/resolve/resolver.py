"""Asks Postgres what a query's names mean, and writes what only Redshift understands as Postgres has it.

Postgres reads the query without running it. Where it stumbles over a name, the place that it tells is changed, and it
is asked again. When that leads to nothing, the query stays as it was written, and fails as it did at first.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Final

from sandbox.redshift.blocks import Block, find_blocks, innermost
from sandbox.redshift.cursor import quote_name
from sandbox.redshift.resolve import aliases, paths
from sandbox.redshift.resolve.excluded import has_excluded
from sandbox.redshift.resolve.pivot import has_pivot
from sandbox.redshift.resolve.unnest import FromClause
from sandbox.redshift.tokens import Kind, Statement, Token, split

#: Reads a statement as Postgres would, without running it; returns the fields of its error, if it has one.
Probe = Callable[[str], dict[str, str] | None]

_UNDEFINED_COLUMN: Final = "42703"
_NO_COMPOSITE: Final = "42809"  # "column notation .a applied to type jsonb"
_BAD_TEXT: Final = "22P02"
#: What Postgres says of names with dots that it cannot place: of a table, a database, too many.
_UNKNOWN_PATH: Final = ("FROM-clause entry", "cross-database references", "improper qualified name")
_ABOUT_NAMES: Final = frozenset({_UNDEFINED_COLUMN, "42P01", "42804", "0A000", "42601", _NO_COMPOSITE})
_READ: Final = ("select", "update", "delete")
_MOST: Final = 500  # changes of one statement


class Names:
    """The names in one statement."""

    def __init__(self, statement: Statement) -> None:
        self.tokens = tokens = statement.tokens
        self.blocks = find_blocks(tokens)
        self.known: set[str] = set()
        self.unnesting: dict[Token, str] = {}
        clauses: list[tuple[Block, FromClause]] = []
        for block in self.blocks:
            around = [clause.known for other, clause in clauses if other.select < block.select < other.end]
            clause = FromClause(tokens, block, set().union(*around))
            clause.read()
            clauses.append((block, clause))
            self.unnesting |= clause.changes
            self.known |= clause.known

    @property
    def are_clear(self) -> bool:
        """Whether Postgres is sure to understand them as Redshift does."""
        return not self.unnesting and not aliases.uses_alias(self.tokens, self.blocks) and not self._has_path()

    def _has_path(self) -> bool:
        return any(self._may_be_path(start) for start in paths.chain_starts(self.tokens))

    def _may_be_path(self, start: int) -> bool:
        chain = paths.chain_at(self.tokens, start)
        if chain is None or (start and self.tokens[start - 1].is_sign("::")):
            return False
        if self.tokens[start].is_word("pg_catalog", "information_schema", "array"):
            return False
        if chain.rest < chain.end:
            return True
        block, names = innermost(self.blocks, start), len(chain.names)
        if block is None:
            return names > 2 or (names == 2 and self._changes_rows(start))
        if block.source <= start < block.tail and not self._in_condition(block, start):
            return False
        known = [self.tokens[place].name in self.known for place in chain.names[:2]]
        if names == 2:
            return not known[0]
        return names > 3 or (names == 3 and (known[0] or not known[1]))

    def _changes_rows(self, place: int) -> bool:
        """Say whether a place is in what an UPDATE sets or what it or a DELETE looks for."""
        first, *others = self.tokens[:place] or self.tokens
        return first.is_word("update", "delete") and any(token.is_word("set", "where") for token in others)

    def _in_condition(self, block: Block, place: int) -> bool:
        """Say whether a place of a FROM clause is behind an ON."""
        return any(token.is_word("on") for token in self.tokens[block.source : place])


def is_clear(statement: Statement) -> bool:
    """Say whether a statement goes to Postgres without a question about its names."""
    if not any(token.is_word(*_READ) for token in statement.tokens):
        return True
    tokens = statement.tokens
    return not has_pivot(tokens) and not has_excluded(tokens) and Names(statement).are_clear


def resolve(statement: Statement, probe: Probe) -> str:
    """Return the statement's text in which Postgres finds every name; as it is when it finds none."""
    names = Names(statement)
    if names.are_clear:
        return statement.text
    now = _again(statement, names.unnesting) if names.unnesting else statement
    for _ in range(_MOST):
        start = _query(now)
        error = probe(now.text[start:])
        if error is None:
            return now.text
        changes = _changes(now, error, start)
        if not changes:
            # An error about something else comes from what the names mean, and says more than the first one did.
            return statement.text if error.get("C") in _ABOUT_NAMES and not names.unnesting else now.text
        now = _again(now, changes)
    return now.text


def _again(statement: Statement, changes: dict[Token, str]) -> Statement:
    (changed,) = split(statement.replace(list(changes.items())))
    return changed


def _query(statement: Statement) -> int:
    """Return where the query begins in a statement whose own words Postgres would not look behind."""
    tokens = statement.tokens
    if not tokens[0].is_word("create"):
        return 0
    for token, following in pairwise(tokens):
        if token.is_word("as") and (following.is_word("select", "with") or following.is_sign("(")):
            return following.start - statement.offset
    return 0


def _changes(statement: Statement, error: dict[str, str], start: int) -> dict[Token, str]:
    """Return what to change because of an error; nothing when it is about something else."""
    position = int(error.get("P", "0")) - 1 + start + statement.offset
    at = next((place for place, token in enumerate(statement.tokens) if token.start == position), None)
    if at is None:
        return {}
    code, tokens = error.get("C"), statement.tokens
    if code == _BAD_TEXT and "json" in error.get("M", "") and tokens[at].kind is Kind.STRING:
        return {tokens[at]: paths.as_super(tokens[at])}
    chain = paths.chain_at(tokens, at)
    if chain is None:
        return {}
    columns = len(chain.names)
    if code == _NO_COMPOSITE:
        return _named(tokens, chain, paths.as_subscripts(tokens, chain, columns))
    if columns > 1 and (code == _UNDEFINED_COLUMN or any(words in error.get("M", "") for words in _UNKNOWN_PATH)):
        return _named(tokens, chain, paths.as_subscripts(tokens, chain, min(columns - 1, 3)))
    return _named(tokens, chain, _inlined(statement, at)) if code == _UNDEFINED_COLUMN else {}


def _named(tokens: list[Token], chain: paths.Chain, changes: dict[Token, str]) -> dict[Token, str]:
    """Return the changes after which a column of the select list is still called by the last name of its path."""
    items = [item for block in find_blocks(tokens) for item in block.items if item.start == chain.names[0]]
    if not changes or not items or items[0].alias or not paths.is_cast(tokens, chain.end, items[0].end):
        return changes
    name = next(tokens[at].name for at in range(chain.end - 1, -1, -1) if tokens[at].is_name)
    last = tokens[items[0].end - 1]
    return changes | {last: f"{changes.get(last, last.text)} AS {quote_name(name)}"}


def _inlined(statement: Statement, at: int) -> dict[Token, str]:
    tokens = statement.tokens
    found = aliases.expression_of(tokens, find_blocks(tokens), at)
    if found is None:
        return {}
    first, last = tokens[found[0]], tokens[found[1] - 1]
    text = statement.text[first.start - statement.offset : last.end - statement.offset]
    return {tokens[at]: f"({text})"}
