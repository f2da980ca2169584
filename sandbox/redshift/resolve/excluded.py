"""``SELECT * EXCLUDE (a, b)`` (Developer Guide, "EXCLUDE column_list"): the columns that stay are written out.

Postgres is asked which there are.
"""

from __future__ import annotations

from sandbox.redshift.blocks import closing, find_blocks, innermost
from sandbox.redshift.cursor import quote_name, split_commas
from sandbox.redshift.errors import SYNTAX, SqlError
from sandbox.redshift.resolve.pivot import Describe, with_queries
from sandbox.redshift.tokens import Statement, Token, split


def has_excluded(tokens: list[Token]) -> bool:
    """Say whether a query leaves columns out."""
    return any(_is_exclude(tokens, at) for at in range(2, len(tokens) - 1))


def rewrite_excluded(statement: Statement, describe: Describe) -> Statement:
    """Return the statement without EXCLUDE.

    Raises:
        SqlError: it names what is no column, or leaves none.
    """
    while has_excluded(statement.tokens):
        statement = _without_first(statement, describe)
    return statement


def _is_exclude(tokens: list[Token], at: int) -> bool:
    """Say whether EXCLUDE is at a place, behind the ``*`` of a select list."""
    if not (tokens[at].is_word("exclude") and tokens[at - 1].is_sign("*")):
        return False
    before, behind_top = tokens[at - 2], at > 3 and tokens[at - 3].is_word("top")
    begins = before.is_word("select", "all", "distinct") or before.text in (",", ".") or behind_top
    return begins and (tokens[at + 1].is_name or tokens[at + 1].is_sign("("))


def _without_first(statement: Statement, describe: Describe) -> Statement:
    tokens = statement.tokens
    at = next(at for at in range(2, len(tokens) - 1) if _is_exclude(tokens, at))
    block = innermost(find_blocks(tokens), at)
    if block is None or block.source == block.tail:
        raise SqlError('syntax error at or near "EXCLUDE"', SYNTAX)
    end = min(closing(tokens, at + 1) + 1, block.source) if tokens[at + 1].is_sign("(") else block.source
    first = at - 1
    while tokens[first - 1].is_sign("."):
        first -= 2
    owner, source = _text(statement, first, at - 1), _text(statement, block.source, block.tail)
    columns = describe(f"{with_queries(statement, at)}SELECT {owner}* {source}")
    kept = ", ".join(f"{owner}{quote_name(column)}" for column in _kept(columns, tokens[at + 1 : end]))
    start, stop = tokens[first].start - statement.offset, tokens[end - 1].end - statement.offset
    (changed,) = split(f"{statement.text[:start]}{kept}{statement.text[stop:]}")
    return changed


def _kept(columns: list[str], listed: list[Token]) -> list[str]:
    """Return the columns but for those that a list names."""
    parts = split_commas([token for token in listed if not (token.is_sign("(") or token.is_sign(")"))])
    gone = {part[-1].name for part in parts if part}
    if not gone < set(columns):
        raise SqlError(f"EXCLUDE must name some of the columns {', '.join(columns)}", "42703")
    return [column for column in columns if column not in gone]


def _text(statement: Statement, start: int, end: int) -> str:
    """Return what is written from one token up to another."""
    if start == end:
        return ""
    tokens, offset = statement.tokens, statement.offset
    return statement.text[tokens[start].start - offset : tokens[end - 1].end - offset]
