"""GROUP BY ALL: by every column of the select list that is no aggregate (Developer Guide, "GROUP BY clause")."""

from __future__ import annotations

from typing import Final

from sandbox.redshift.blocks import Item, closing, find_blocks, innermost
from sandbox.redshift.errors import SYNTAX, SqlError, unknown
from sandbox.redshift.resolve.excluded import has_excluded
from sandbox.redshift.tokens import Statement, Token, split

_AGGREGATES: Final = frozenset(
    [
        *("any_value", "avg", "bit_and", "bit_or", "bool_and", "bool_or", "count", "listagg", "max", "median", "min"),
        *("percentile_cont", "percentile_disc", "stddev", "stddev_pop", "stddev_samp", "sum", "var_pop", "var_samp"),
        "variance",
    ]
)


def groups_by_all(tokens: list[Token]) -> bool:
    """Say whether a query in a statement ends with GROUP BY ALL."""
    return any(_is_all(tokens, at) for at in range(2, len(tokens)))


def rewrite_group_by_all(statement: Statement) -> Statement:
    """Return the statement with the places of the columns that are meant.

    Raises:
        SqlError: the select list has a ``*``, or there is none.
    """
    tokens, blocks = statement.tokens, find_blocks(statement.tokens)
    changes = []
    for at in (at for at in range(2, len(tokens)) if _is_all(tokens, at)):
        block = innermost(blocks, at)
        if block is None:
            raise SqlError('syntax error at or near "GROUP"', SYNTAX)
        places = [str(place) for place, item in enumerate(block.items, 1) if not _is_aggregate(tokens, item)]
        changes.append((tokens[at], ", ".join(places) or "()"))
    (changed,) = split(statement.replace(changes))
    return changed


def _is_all(tokens: list[Token], at: int) -> bool:
    return tokens[at].is_word("all") and tokens[at - 1].is_word("by") and tokens[at - 2].is_word("group")


def _is_aggregate(tokens: list[Token], item: Item) -> bool:
    """Say whether a column is made of several rows: an aggregate or a window, but not of a subquery."""
    if has_excluded(tokens[item.start - 1 : item.end]) or (
        tokens[item.end - 1].is_sign("*") and item.end - item.start in (1, 3)
    ):
        raise unknown("GROUP BY ALL with * in the select list")
    at = item.start
    while at < item.end - 1:
        if tokens[at].is_sign("(") and tokens[at + 1].is_word("select", "with"):
            at = closing(tokens, at)
        elif tokens[at + 1].is_sign("(") and tokens[at].is_word("over", *_AGGREGATES):
            return True
        at += 1
    return False
