"""Late-binding and materialized views (Developer Guide, CREATE VIEW, CREATE MATERIALIZED VIEW)."""

from __future__ import annotations

from typing import Final

from sandbox.redshift.cursor import Cursor, quote_name
from sandbox.redshift.rewrite.create_table import read_table_attributes, rest_as_postgres
from sandbox.redshift.rewrite.definition import REBIND, Attributes, Build, LateView
from sandbox.redshift.rewrite.words import rewrite_words
from sandbox.redshift.tokens import Statement, Token

_UNBOUND: Final = ("with", "no", "schema", "binding")


def plan_view(statement: Statement) -> LateView | str:
    """Return what makes a view; the text when it is bound to its tables.

    Raises:
        SqlError: it is not written as Redshift has it.
    """
    tokens = statement.tokens
    if not all(token.is_word(word) for token, word in zip(tokens[-4:], _UNBOUND, strict=False)) or len(tokens) < 9:
        return rewrite_words(statement)
    cursor = Cursor(statement, tokens[:-4])
    cursor.expect("create")
    replaces = cursor.accept("or", "replace")
    cursor.expect("view")
    name = cursor.qualified_name()
    columns = cursor.names() if cursor.token is not None and cursor.token.is_sign("(") else []
    cursor.expect("as")
    query = _text(statement, cursor.rest())
    if columns:
        query = f"SELECT * FROM ({query}) AS bound ({', '.join(map(quote_name, columns))})"
    return LateView(name, query, replaces)


def plan_materialized_view(statement: Statement) -> str:
    """Return CREATE MATERIALIZED VIEW without Redshift's attributes.

    Raises:
        SqlError: an attribute is not known.
    """
    cursor = Cursor(statement)
    cursor.expect("create", "materialized", "view")
    name = cursor.qualified_name()
    attributes = Attributes()
    while not cursor.accept("as"):
        if cursor.accept("auto", "refresh"):
            if not (cursor.accept("yes") or cursor.accept("no")):
                raise cursor.fail()
            continue
        before = cursor.token
        read_table_attributes(cursor, attributes)
        if cursor.token is before:
            raise cursor.fail()
    attributes.check()
    return f"CREATE MATERIALIZED VIEW {quote_name(*name)} AS {rest_as_postgres(cursor)}"


def plan_refresh(statement: Statement) -> str:
    """Return REFRESH MATERIALIZED VIEW; RESTRICT and CASCADE are about views on views."""
    cursor = Cursor(statement)
    cursor.expect("refresh", "materialized", "view")
    name = cursor.qualified_name()
    if not cursor.accept("restrict"):
        cursor.accept("cascade")
    if cursor.token is not None:
        raise cursor.fail()
    return f"REFRESH MATERIALIZED VIEW {quote_name(*name)}"


def plan_drop_table(statement: Statement) -> Build:
    """Return DROP TABLE, after which late-binding views miss the table."""
    return Build(rewrite_words(statement), (REBIND,))


def _text(statement: Statement, tokens: list[Token]) -> str:
    start, end = tokens[0].start - statement.offset, tokens[-1].end - statement.offset
    return rewrite_words(Statement(statement.text[start:end], tokens[0].start, tokens))
