"""SELECT INTO, which is CREATE TABLE AS in other words (Developer Guide, SELECT INTO)."""

from __future__ import annotations

from sandbox.redshift.blocks import find_blocks
from sandbox.redshift.cursor import Cursor
from sandbox.redshift.tokens import Statement, split


def as_create_table(statement: Statement) -> Statement | None:
    """Return the CREATE TABLE AS that a query with INTO is; ``None`` for any other query.

    Raises:
        SqlError: no name follows INTO.
    """
    tokens = statement.tokens
    if not any(token.is_word("into") for token in tokens):
        return None
    # Of a statement that begins with WITH, the queries before the main one are in brackets.
    main = next((block for block in find_blocks(tokens) if block.end == len(tokens)), None)
    at = next((at for at in range(main.select, main.source) if tokens[at].is_word("into")), None) if main else None
    if at is None:
        return None
    cursor = Cursor(statement, tokens[at + 1 :])
    temporary = "TEMP " if cursor.accept("temp") or cursor.accept("temporary") else ""
    cursor.accept("table")
    first = cursor.token
    cursor.qualified_name()
    rest = cursor.rest()
    assert first is not None  # a name was read
    end = rest[0].start if rest else tokens[-1].end
    offset = statement.offset
    name = statement.text[first.start - offset : end - offset].strip()
    query = statement.text[: tokens[at].start - offset] + statement.text[end - offset :]
    (made,) = split(f"CREATE {temporary}TABLE {name} AS {query}")
    return made
