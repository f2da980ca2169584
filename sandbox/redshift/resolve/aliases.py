"""A name of the select list that is used again in the same query (Developer Guide, "SELECT list").

Redshift puts the expression in its place, unless a column of the FROM clause has that name. Postgres tells which names
are columns; here is what they stand for.
"""

from __future__ import annotations

from typing import Final

from sandbox.redshift.blocks import Block, innermost
from sandbox.redshift.tokens import Token

_BEHIND_TERM: Final = ("asc", "desc", "nulls", "having", "order", "limit", "offset", "qualify")


def uses_alias(tokens: list[Token], blocks: list[Block]) -> bool:
    """Say whether a query uses what may be a name of its own select list."""
    return any(_uses(tokens, block) for block in blocks)


def _uses(tokens: list[Token], block: Block) -> bool:
    named = {item.alias: item for item in block.items if item.alias is not None}
    if not named:
        return False
    defining = {place for item in named.values() for place in (item.end, item.end + 1)}
    places = [*range(block.items[0].end, block.source), *(set(range(block.tail, block.end)) - _terms(tokens, block))]
    used = [(at, named[tokens[at].name]) for at in places if tokens[at].is_name and tokens[at].name in named]
    return any(at > item.end + 1 and at not in defining and is_bare(tokens, at) for at, item in used)


def _terms(tokens: list[Token], block: Block) -> set[int]:
    """Return where a name is all of what is grouped or sorted by: there Postgres knows aliases, too."""
    terms, depth = set(), 0
    for at in range(block.tail + 1, block.end):
        depth += tokens[at].is_sign("(") - tokens[at].is_sign(")")
        begins = tokens[at - 1].is_sign(",") or tokens[at - 1].is_word("by")
        ends = at + 1 == block.end or tokens[at + 1].is_sign(",") or tokens[at + 1].is_word(*_BEHIND_TERM)
        if depth == 0 and begins and ends:
            terms.add(at)
    return terms


def is_bare(tokens: list[Token], at: int) -> bool:
    """Say whether a name stands alone: no part of a longer one, no function."""
    before = at > 0 and (tokens[at - 1].is_sign(".") or tokens[at - 1].is_word("as"))
    behind = at + 1 < len(tokens) and (tokens[at + 1].is_sign(".") or tokens[at + 1].is_sign("("))
    return not before and not behind


def expression_of(tokens: list[Token], blocks: list[Block], at: int) -> tuple[int, int] | None:
    """Return the places of the expression that the name at a place stands for; ``None`` when it is no alias."""
    block = innermost(blocks, at)
    if block is None or block.source <= at < block.tail:
        return None  # in a FROM clause
    found = [item for item in block.items if item.alias == tokens[at].name and item.end < at]
    return (found[-1].start, found[-1].end) if found else None
