"""Statements about tables and sessions that Postgres has with fewer words: VACUUM, ANALYZE, SET, CREATE SCHEMA."""

from __future__ import annotations

from sandbox.redshift.cursor import Cursor, quote_name
from sandbox.redshift.errors import SqlError
from sandbox.redshift.rewrite.settings import setting_name
from sandbox.redshift.rewrite.show import rewrite_show
from sandbox.redshift.rewrite.words import rewrite_words
from sandbox.redshift.tokens import Statement


def postgres_schema(statement: Statement) -> str:
    """Return CREATE SCHEMA without a quota, which nobody measures here."""
    tokens = statement.tokens
    at = next((place for place, token in enumerate(tokens) if token.is_word("quota") and place > 2), len(tokens))
    return statement.replace([(token, "") for token in tokens[at : at + 3]])


def postgres_setting(statement: Statement) -> str:
    """Return SET, RESET or SHOW with Redshift's own parameters in a namespace of their own."""
    if statement.starts("show") and (shown := rewrite_show(statement)) is not None:
        return shown
    names = [token for token in statement.tokens[1:3] if not token.is_word("session", "local")][:1]
    if not names or not names[0].is_name or setting_name(names[0].name) == names[0].name:
        return rewrite_words(statement)
    return statement.replace([(names[0], setting_name(names[0].name))])


def postgres_analyze(statement: Statement) -> str:
    """Return ANALYZE without the words that choose columns by their use (Postgres analyses what is named)."""
    dropped = [
        (token, "")
        for token, other in [
            *zip(statement.tokens, statement.tokens[1:], strict=False),
            *zip(statement.tokens[1:], statement.tokens, strict=False),
        ]
        if (token.is_word("predicate", "all") and other.is_word("columns"))
        or (token.is_word("columns") and other.is_word("predicate", "all"))
    ]
    return statement.replace(dropped)


def postgres_vacuum(statement: Statement) -> str:
    """Return the VACUUM of Postgres for one of Redshift's (``VACUUM [FULL | SORT ONLY …] [t [TO n PERCENT] [BOOST]]``).

    Raises:
        SqlError: a word in it is not understood.
    """
    cursor = Cursor(statement)
    cursor.expect("vacuum")
    for words in (("full",), ("sort", "only"), ("delete", "only"), ("reindex",), ("recluster",)):
        if cursor.accept(*words):
            break
    table = cursor.qualified_name() if cursor.token and not cursor.peek("boost") else ()
    if cursor.accept("to"):
        _expect_percent(cursor)
    cursor.accept("boost")
    if cursor.token is not None:
        raise cursor.fail()
    return f"VACUUM {quote_name(*table)}" if table else "VACUUM"


def _expect_percent(cursor: Cursor) -> None:
    percent = cursor.integer()
    cursor.expect("percent")
    if not 0 <= percent <= 100:
        raise SqlError("threshold for VACUUM must be between 0 and 100")
