"""A name of the select list that is used again in the same query (Developer Guide, "SELECT list").

Redshift puts the expression in its place, unless a column of the FROM clause has that name. Postgres tells which names
are columns; here is what they stand for.
"""

from __future__ import annotations

from sandbox.redshift.blocks import Block, innermost
from sandbox.redshift.tokens import Token


def uses_alias(tokens: list[Token], blocks: list[Block]) -> bool:
    """Say whether a query uses what may be a name of its own select list."""
    return any(_uses(tokens, block) for block in blocks)


def _uses(tokens: list[Token], block: Block) -> bool:
    named = {item.alias: item for item in block.items if item.alias is not None}
    if not named:
        return False
    places = [*range(block.items[0].end, block.source), *range(block.tail, block.end)]
    used = [(at, named[tokens[at].name]) for at in places if tokens[at].is_name and tokens[at].name in named]
    return any(_may_mean(tokens, block, item.end, at) for at, item in used)


def _may_mean(tokens: list[Token], block: Block, defined: int, at: int) -> bool:
    """Say whether a name may be an alias: a name alone, in a later item or behind FROM."""
    if not is_bare(tokens, at) or at <= defined + 1:
        return False
    return block.clause(at) or not any(item.alias and at in (item.end, item.end + 1) for item in block.items)


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
