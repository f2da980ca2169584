"""Paths into SUPER values: ``t.s.items[0].name`` (Developer Guide, "Navigation").

Postgres has them as subscripts: ``t.s['items'][0]['name']``. How many names at the front are table and column it tells.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from sandbox.redshift.blocks import closing
from sandbox.redshift.cursor import quote_text
from sandbox.redshift.tokens import Kind, Token

#: Beside these a string literal is a text, as no JSON is.
_OPERATORS: Final = ("=", "<", ">", "<=", ">=", "<>", "!=", "+")
_CAST: Final = re.compile(r":: \w+( precision| varying)?( \( \w+( , \d+)? \))?", re.IGNORECASE)
_LONGEST: Final = 3  # names of a column: schema, table, column


@dataclass(frozen=True)
class Chain:
    """Names with dots and brackets between them, by places: the names at the front, then the rest up to ``end``."""

    names: tuple[int, ...]
    end: int

    @property
    def rest(self) -> int:
        """Where the first bracket is, if there is one."""
        return self.names[-1] + 1


def chain_at(tokens: list[Token], start: int) -> Chain | None:
    """Return the chain that begins at a place; ``None`` when none does."""
    if not tokens[start].is_name:
        return None
    names, at = [start], start + 1
    while at + 1 < len(tokens) and tokens[at].is_sign(".") and tokens[at + 1].is_name:
        names.append(at + 1)
        at += 2
    return Chain(tuple(names), _behind_brackets(tokens, at))


def _behind_brackets(tokens: list[Token], at: int) -> int:
    while at < len(tokens):
        if tokens[at].is_sign("["):
            at = min(closing(tokens, at) + 1, len(tokens))
        elif tokens[at].is_sign(".") and at + 1 < len(tokens) and tokens[at + 1].is_name:
            at += 2
        else:
            break
    return at


def chain_starts(tokens: list[Token]) -> list[int]:
    """Return where names begin that are no function, no alias behind AS and no later part of another chain."""
    starts, at = [], 0
    while at < len(tokens):
        chain = chain_at(tokens, at)
        if chain is None:
            at += 1
            continue
        if chain.end == len(tokens) or not tokens[chain.end].is_sign("("):
            starts.append(at)
        at = chain.end
    return starts


def as_subscripts(tokens: list[Token], chain: Chain, columns: int) -> dict[Token, str]:
    """Return the changes that make subscripts of what follows the first ``columns`` names."""
    changes: dict[Token, str] = {}
    at = chain.names[min(columns, _LONGEST) - 1] + 1
    while at < chain.end:
        if tokens[at].is_sign("["):
            at = closing(tokens, at) + 1
            continue
        changes[tokens[at]] = ""
        changes[tokens[at + 1]] = f"[{_attribute(tokens[at + 1])}]"
        at += 2
    return changes | _compared(tokens, chain)


def _attribute(token: Token) -> str:
    """Names are small letters, also quoted ones, unless ``enable_case_sensitive_super_attribute`` is on."""
    if token.kind is Kind.QUOTED and token.name != token.name.lower():
        return f"pg_catalog.redshift_attribute({quote_text(token.name)})"
    return quote_text(token.name)


def is_cast(tokens: list[Token], start: int, end: int) -> bool:
    """Say whether nothing or a cast (``::numeric(8, 2)``) lies between two places."""
    return start == end or _CAST.fullmatch(" ".join(token.text for token in tokens[start:end])) is not None


def _compared(tokens: list[Token], chain: Chain) -> dict[Token, str]:
    """A string beside a path is a text, not the JSON that Postgres would read."""
    beside = []
    if chain.end + 1 < len(tokens) and tokens[chain.end].text in _OPERATORS:
        beside.append(tokens[chain.end + 1])
    if chain.names[0] > 1 and tokens[chain.names[0] - 1].text in _OPERATORS:
        beside.append(tokens[chain.names[0] - 2])
    return {token: f"{token.text}::pg_catalog.text" for token in beside if token.kind is Kind.STRING}


def as_super(token: Token) -> str:
    """Return a string literal as a SUPER value."""
    return f"pg_catalog.to_jsonb({token.text}::pg_catalog.text)"
