"""The queries in a statement: where each one's select list, FROM clause and conditions lie among the tokens."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from sandbox.redshift.tokens import Kind, Token

_SETS: Final = ("union", "except", "intersect", "minus")
_CLAUSES: Final = ("where", "group", "having", "window", "order", "limit", "offset", "fetch", "for")
#: What an alias without AS cannot stand behind.
_OPERATORS: Final = frozenset(
    ["and", "or", "not", "in", "is", "like", "ilike", "between", "then", "else", "when", "as"]
)


@dataclass(frozen=True)
class Item:
    """One column of a select list: the places of its expression, and the name that it is given, if any."""

    start: int
    end: int
    alias: str | None


@dataclass(frozen=True)
class Block:
    """One SELECT, by the places of its tokens; ``source`` is FROM, ``tail`` what follows it; ``end`` is past it."""

    select: int
    source: int
    tail: int
    end: int
    items: tuple[Item, ...]


def find_blocks(tokens: list[Token]) -> list[Block]:
    """Return the queries of a statement in the order of their SELECT."""
    return [
        _block(tokens, at)
        for at, token in enumerate(tokens)
        if token.is_word("select") and not (at and tokens[at - 1].is_sign("."))
    ]


def innermost(blocks: list[Block], place: int) -> Block | None:
    """Return the query that a place belongs to."""
    around = [block for block in blocks if block.select < place < block.end]
    return max(around, key=lambda block: block.select, default=None)


def closing(tokens: list[Token], opening: int) -> int:
    """Return the place of the bracket that closes the one at ``opening``; past the end when none does."""
    depth = 0
    for at in range(opening, len(tokens)):
        depth += _step(tokens[at])
        if depth == 0:
            return at
    return len(tokens)


def _is_name(tokens: list[Token], at: int) -> bool:
    return bool(at) and (tokens[at - 1].is_sign(".") or tokens[at - 1].is_word("as"))


def _step(token: Token) -> int:
    return (token.is_sign("(") or token.is_sign("[")) - (token.is_sign(")") or token.is_sign("]"))


def _block(tokens: list[Token], select: int) -> Block:
    end = source = tail = len(tokens)
    commas, depth = [select], 0
    for at in range(select + 1, len(tokens)):
        token = tokens[at]
        depth += _step(token)
        if depth < 0 or (depth == 0 and token.is_word(*_SETS)):
            end = at
            break
        if depth:
            continue
        if at < source and token.is_sign(","):
            commas.append(at)
        elif at < source and token.is_word("from") and not tokens[at - 1].is_word("distinct"):
            source = at
        elif at < tail and token.is_word(*_CLAUSES) and not _is_name(tokens, at):
            tail = at
    source, tail = min(source, tail, end), min(tail, end)
    edges = [*commas, source]
    items = [_item(tokens, start + 1, stop) for start, stop in pairwise(edges) if stop > start + 1]
    return Block(select, source, tail, end, tuple(items))


def _item(tokens: list[Token], start: int, end: int) -> Item:
    if tokens[start].is_word("distinct", "all"):
        start += 1
    last, count = tokens[end - 1], end - start
    if count > 2 and tokens[end - 2].is_word("as") and last.is_name:
        return Item(start, end - 2, last.name)
    if count > 1 and last.is_name and not last.is_word("end", "null", "true", "false") and _ends(tokens[end - 2]):
        return Item(start, end - 1, last.name)
    return Item(start, end, None)


def _ends(token: Token) -> bool:
    """Say whether an expression may end here."""
    if token.kind is Kind.SIGN:
        return token.is_sign(")") or token.is_sign("]")
    return token.text.lower() not in _OPERATORS
