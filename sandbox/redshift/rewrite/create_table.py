"""CREATE TABLE and CREATE TABLE AS with Redshift's attributes (Developer Guide, CREATE TABLE)."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.redshift.cursor import Cursor, quote_name, quote_text, split_commas
from sandbox.redshift.errors import SqlError, not_redshift
from sandbox.redshift.rewrite.columns import read_column, read_table_constraint
from sandbox.redshift.rewrite.definition import REBIND, Attributes, Build, declare
from sandbox.redshift.rewrite.words import rewrite_words
from sandbox.redshift.tokens import Statement, Token


@dataclass(frozen=True)
class _Head:
    """What comes before the columns."""

    temporary: bool
    only_if_missing: bool
    name: tuple[str, ...]

    @property
    def sql(self) -> str:
        words = ["CREATE TEMP TABLE" if self.temporary else "CREATE TABLE", quote_name(*self.name)]
        return f"{words[0]} {'IF NOT EXISTS ' if self.only_if_missing else ''}{words[1]}"

    @property
    def schema(self) -> str | None:
        if self.temporary:
            return "pg_temp"
        return self.name[-2] if len(self.name) > 1 else None


def plan_create_table(statement: Statement) -> Build:
    """Return what makes the table.

    Raises:
        SqlError: it is not a definition as Redshift has it.
    """
    cursor = Cursor(statement)
    head = _read_head(cursor)
    attributes = Attributes()
    elements = cursor.bracketed() if cursor.token is not None and cursor.token.is_sign("(") else None
    read_table_attributes(cursor, attributes)
    filled = cursor.accept("as")
    main = _as_select(cursor, head, elements) if filled else _columns(cursor, head, elements, attributes)
    attributes.check()
    after = (declare(head.schema, head.name[-1], attributes.as_changes()), *(() if head.temporary else (REBIND,)))
    if filled:
        where = ("pg_temp",) if head.temporary else head.name[:-1]
        made = quote_text(quote_name(*where, head.name[-1]))
        after = (f"SELECT pg_catalog.redshift_limit_texts({made})", *after)
    return Build(main, after, _finder(head) if head.only_if_missing else None)


def _read_head(cursor: Cursor) -> _Head:
    cursor.expect("create")
    cursor.accept("local")
    temporary = cursor.accept("temp") or cursor.accept("temporary")
    cursor.expect("table")
    only_if_missing = cursor.accept("if", "not", "exists")
    name = cursor.qualified_name()
    return _Head(temporary or name[-1].startswith("#"), only_if_missing, name)


def _finder(head: _Head) -> str:
    schema = "pg_catalog.current_schema()" if head.schema is None else _literal(head.schema)
    name = _literal(head.name[-1])
    return f"SELECT pg_catalog.to_regclass(pg_catalog.format('%I.%I', {schema}, {name})) IS NOT NULL"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _columns(cursor: Cursor, head: _Head, elements: list[Token] | None, attributes: Attributes) -> str:
    if cursor.token is not None or elements is None:
        _refuse_postgres_clauses(cursor)
        raise cursor.fail()
    parts = [_read_element(Cursor(cursor.statement, part), attributes) for part in split_commas(elements)]
    return f"{head.sql} ({', '.join(part for part in parts if part)})"


def _refuse_postgres_clauses(cursor: Cursor) -> None:
    for word in ("partition", "inherits", "tablespace", "with", "using", "on"):
        if cursor.peek(word):
            raise not_redshift(f"the clause {word.upper()} of CREATE TABLE")


def _read_element(cursor: Cursor, attributes: Attributes) -> str:
    if cursor.accept("like"):
        return _read_like(cursor, attributes)
    constraint = read_table_constraint(cursor)
    if constraint is None:
        return read_column(cursor, attributes)
    if cursor.token is not None:
        raise cursor.fail()
    attributes.constraints.append(constraint)
    return ""


def _read_like(cursor: Cursor, attributes: Attributes) -> str:
    parent = cursor.qualified_name()
    including = cursor.accept("including", "defaults")
    if not including:
        cursor.accept("excluding", "defaults")
    if cursor.token is not None:
        raise cursor.fail()
    attributes.like = list(parent)
    return f"LIKE {quote_name(*parent)}{' INCLUDING DEFAULTS' if including else ''}"


def read_table_attributes(cursor: Cursor, attributes: Attributes) -> None:
    """Read BACKUP, DISTSTYLE, DISTKEY, SORTKEY and ENCODE AUTO, as many as there are."""
    while cursor.token is not None:
        if cursor.accept("backup"):
            if not (cursor.accept("yes") or cursor.accept("no")):
                raise cursor.fail()
        elif cursor.accept("diststyle"):
            attributes.set_style(cursor.name())
        elif cursor.accept("distkey"):
            (column,) = _exactly_one(cursor.names())
            attributes.set_distkey(column)
        elif not read_sort_key(cursor, attributes) and not cursor.accept("encode", "auto"):
            return


def _exactly_one(names: list[str]) -> list[str]:
    if len(names) != 1:
        raise SqlError("DISTKEY takes exactly one column", "42P16")
    return names


def read_sort_key(cursor: Cursor, attributes: Attributes) -> bool:
    """Read ``[COMPOUND | INTERLEAVED] SORTKEY (…)`` or ``SORTKEY AUTO | NONE`` if it is next."""
    style = "interleaved" if cursor.peek("interleaved", "sortkey") else "compound"
    if style == "interleaved" or cursor.peek("compound", "sortkey"):
        cursor.take()
    if not cursor.accept("sortkey"):
        return False
    if attributes.sortstyle is not None:
        raise SqlError("A table can have only one SORTKEY", "42P16")
    if cursor.accept("auto") or cursor.accept("none"):
        attributes.sortstyle = "auto"
        return True
    attributes.sortkey, attributes.sortstyle = _sort_columns(cursor), style
    limit = 8 if style == "interleaved" else 400
    if len(attributes.sortkey) > limit:
        raise SqlError(f"An {style} sort key takes at most {limit} columns", "42P16")
    return True


def _sort_columns(cursor: Cursor) -> list[str]:
    if cursor.token is not None and cursor.token.is_sign("("):
        return cursor.names()
    return [cursor.name()]


def _as_select(cursor: Cursor, head: _Head, elements: list[Token] | None) -> str:
    names = ""
    if elements is not None:
        inner = Cursor(cursor.statement, elements)
        listed = [inner.name()]
        while inner.accept_sign(","):
            listed.append(inner.name())
        names = f" ({', '.join(map(quote_name, listed))})"
    return f"{head.sql}{names} AS {rest_as_postgres(cursor)}"


def rest_as_postgres(cursor: Cursor) -> str:
    """Return the rest of the statement, with the words that Postgres spells otherwise replaced."""
    tokens = cursor.rest()
    if not tokens:
        raise cursor.fail()
    whole = cursor.statement
    tail = Statement(whole.text[tokens[0].start - whole.offset :], tokens[0].start, tokens)
    return rewrite_words(tail)
