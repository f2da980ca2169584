"""One call of a function in a statement, by its places among the tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.redshift.tokens import Statement, Token

Changes = dict[int, tuple[Token, str]]


@dataclass(frozen=True)
class Call:
    """A call in a statement, by the places of its name, brackets and outermost commas among the tokens."""

    statement: Statement
    name: int
    close: int
    commas: tuple[int, ...]
    #: Rewrites a part of the statement.
    rewrite: Callable[[Statement], str]

    @property
    def open(self) -> int:
        """Where the bracket opens."""
        return self.name + 1

    def at(self, place: int) -> Token:
        """Return the token of a place."""
        return self.statement.tokens[place]

    def text(self, start: int, end: int) -> str:
        """Return the tokens from ``start`` up to ``end``, rewritten."""
        tokens = self.statement.tokens[start:end]
        if not tokens:
            return ""
        offset = self.statement.offset
        written = self.statement.text[tokens[0].start - offset : tokens[-1].end - offset]
        return self.rewrite(Statement(written, tokens[0].start, tokens))

    def inner(self, names: tuple[str, ...], start: int, end: int) -> Call | None:
        """Return the call of one of these functions that is all of what stands from ``start`` up to ``end``."""
        if end < start + 3 or not self.at(start).is_word(*names) or not self.at(start + 1).is_sign("("):
            return None
        found = find_call(self.statement, start, self.rewrite)
        return found if found is not None and found.close == end - 1 else None

    def changes(self, texts: dict[int, str]) -> Changes:
        """Return the changes of tokens by their places."""
        return {self.at(place).start: (self.at(place), text) for place, text in texts.items()}


def find_call(statement: Statement, name: int, rewrite: Callable[[Statement], str]) -> Call | None:
    """Return the call whose name, or any word before its bracket, is at a place."""
    depth, commas = 0, []
    for place in range(name + 1, len(statement.tokens)):
        token = statement.tokens[place]
        depth += token.is_sign("(") - token.is_sign(")")
        if depth == 1 and token.is_sign(","):
            commas.append(place)
        if depth == 0:
            return Call(statement, name, place, tuple(commas), rewrite)
    return None


def window_of(call: Call, behind: int) -> Call | None:
    """Return the bracket of the OVER that follows the token ``behind``, if one does."""
    tokens = call.statement.tokens
    if behind + 2 >= len(tokens) or not tokens[behind + 1].is_word("over") or not tokens[behind + 2].is_sign("("):
        return None
    return find_call(call.statement, behind + 1, call.rewrite)
