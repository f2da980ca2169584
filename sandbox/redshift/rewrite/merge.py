"""MERGE (Developer Guide, MERGE): which forms of it Redshift has, and what Postgres is given for them.

AWS: the source is a table, the match condition is of equal predicates, the target has no alias, both WHEN clauses are
given, and no target row may match several source rows.
"""

from __future__ import annotations

from typing import Final

from sandbox.redshift.cursor import Cursor, quote_name, quote_text, split_commas
from sandbox.redshift.errors import UNSUPPORTED, SqlError
from sandbox.redshift.rewrite.definition import Checked
from sandbox.redshift.rewrite.words import rewrite_words
from sandbox.redshift.tokens import Kind, Statement, Token

#: Redshift's words for Postgres' "MERGE command cannot affect row a second time".
SEVERAL_MATCHES: Final = "Found multiple matches to update the same tuple"
_ONE_CLAUSE: Final = "MERGE statement with a single WHEN clause is not enabled."
_OTHER_COMPARISONS: Final = ("<", ">", "<=", ">=", "<>", "!=")


def plan_merge(statement: Statement) -> Checked:
    """Return what merges.

    Raises:
        SqlError: it is not a MERGE as Redshift has it.
    """
    cursor = Cursor(statement)
    cursor.expect("merge")
    cursor.accept("into")
    target = cursor.qualified_name()
    cursor.expect("using")
    if cursor.token is not None and cursor.token.is_sign("("):
        raise SqlError("MERGE: the source must be a table, not a subquery", UNSUPPORTED)
    source = cursor.qualified_name()
    aliased = cursor.accept("as") or not cursor.peek("on")
    if aliased:
        cursor.name()
    cursor.expect("on")
    condition = _condition(cursor)
    check = f"SELECT pg_catalog.redshift_check_merge({_literal(target)}, {_literal(source)})"
    if cursor.accept("remove", "duplicates"):
        if aliased:
            raise SqlError("MERGE with REMOVE DUPLICATES takes no alias", UNSUPPORTED)
        _expect_end(cursor)
        return Checked((check, *_replacing(target, source, _text(statement, condition))), tag="MERGE")
    _check_actions(cursor)
    return Checked((check,), main=rewrite_words(statement))


def _literal(name: tuple[str, ...]) -> str:
    return quote_text(quote_name(*name))


def _condition(cursor: Cursor) -> list[Token]:
    """Read the match condition: equal predicates, joined by AND.

    Raises:
        SqlError: there is another operator in it.
    """
    tokens: list[Token] = []
    cases = 0
    while cursor.token is not None and not (cases == 0 and (cursor.peek("when") or cursor.peek("remove"))):
        token = cursor.take()
        cases += token.is_word("case") - token.is_word("end")
        tokens.append(token)
    for predicate in _predicates(tokens):
        signs = [token.text for token in predicate if token.kind is Kind.SIGN]
        if signs.count("=") != 1 or any(sign in _OTHER_COMPARISONS for sign in signs):
            raise SqlError("MERGE: the match condition takes equal predicates only, joined by AND", UNSUPPORTED)
    return tokens


def _predicates(tokens: list[Token]) -> list[list[Token]]:
    """Split at AND, outside of inner brackets; brackets around all are looked through."""
    while len(tokens) > 1 and tokens[0].is_sign("(") and _closing(tokens) == len(tokens) - 1:
        tokens = tokens[1:-1]
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += token.is_sign("(") - token.is_sign(")")
        if depth == 0 and token.is_word("and"):
            parts.append([])
        else:
            parts[-1].append(token)
    if len(parts) == 1:
        return parts
    return [predicate for part in parts for predicate in _predicates(part)]


def _closing(tokens: list[Token]) -> int:
    depth = 0
    for place, token in enumerate(tokens):
        depth += token.is_sign("(") - token.is_sign(")")
        if depth == 0:
            return place
    return -1


def _check_actions(cursor: Cursor) -> None:
    cursor.expect("when", "matched", "then")
    if not cursor.accept("delete"):
        cursor.expect("update", "set")
        _check_assignments(cursor)
    if cursor.token is None:
        raise SqlError(_ONE_CLAUSE, UNSUPPORTED)
    cursor.expect("when", "not", "matched", "then", "insert")
    if not cursor.peek("values"):
        cursor.names()
    cursor.expect("values")
    cursor.bracketed()
    _expect_end(cursor)


def _check_assignments(cursor: Cursor) -> None:
    """AWS: "Don't include the table name when specifying the target column"."""
    taken: list[Token] = []
    cases = 0
    while cursor.token is not None and not (cases == 0 and cursor.peek("when")):
        token = cursor.take()
        cases += token.is_word("case") - token.is_word("end")
        taken.append(token)
    for assignment in split_commas(taken):
        inner = Cursor(cursor.statement, assignment)
        inner.name()
        inner.expect_sign("=")


def _expect_end(cursor: Cursor) -> None:
    if cursor.token is not None:
        raise cursor.fail()


def _text(statement: Statement, tokens: list[Token]) -> str:
    """Return some tokens as they are written, for Postgres."""
    start, end = tokens[0].start - statement.offset, tokens[-1].end - statement.offset
    return rewrite_words(Statement(statement.text[start:end], tokens[0].start, tokens))


def _replacing(target: tuple[str, ...], source: tuple[str, ...], condition: str) -> tuple[str, ...]:
    """REMOVE DUPLICATES: of target rows that match one source row, one is left, with the source row's values."""
    into, given = quote_name(*target), quote_name(*source)
    several = f"SELECT FROM {into}, {given} WHERE {condition} GROUP BY {into}.tableoid, {into}.ctid HAVING count(*) > 1"
    return (
        f"SELECT pg_catalog.redshift_check_same_columns({_literal(target)}, {_literal(source)})",
        f"SELECT pg_catalog.redshift_refuse_if({quote_text(several)}, {quote_text(SEVERAL_MATCHES)})",
        f"DELETE FROM {into} USING {given} WHERE {condition}",
        f"INSERT INTO {into} SELECT * FROM {given}",
    )
