"""ALTER TABLE with Redshift's attributes (Developer Guide, ALTER TABLE); the rest goes to Postgres as it is."""

from __future__ import annotations

from typing import Any, Final

from sandbox.redshift.cursor import Cursor, quote_name, quote_text
from sandbox.redshift.errors import SqlError, unknown
from sandbox.redshift.rewrite.columns import read_column, read_table_constraint
from sandbox.redshift.rewrite.create_table import read_sort_key
from sandbox.redshift.rewrite.definition import REBIND, Attributes, Build, Checked, declare
from sandbox.redshift.rewrite.types import read_type
from sandbox.redshift.rewrite.words import rewrite_words
from sandbox.redshift.tokens import Statement

#: Changes that Postgres writes as Redshift does.
_AS_POSTGRES: Final = (("rename",), ("owner", "to"), ("drop",))


def plan_alter_table(statement: Statement) -> Build | Checked | str:
    """Return what changes the table: statements, or the text when Postgres takes it as it is.

    Raises:
        SqlError: it is not a change as Redshift makes it, or the sandbox does not know it.
    """
    cursor = Cursor(statement)
    cursor.expect("alter", "table")
    name = cursor.qualified_name()
    attributes = Attributes()
    if cursor.accept("append"):
        return _append(cursor, name)
    if cursor.accept("add"):
        return _add(cursor, name, attributes)
    if cursor.accept("drop", "constraint"):
        return _build(name, {"drop_constraint": cursor.name()})
    if cursor.accept("alter") or cursor.peek("diststyle"):
        return _alter(cursor, name, attributes)
    if not any(cursor.peek(*words) for words in _AS_POSTGRES):
        raise unknown(f"this form of ALTER TABLE (at {cursor.token.text if cursor.token else 'its end'})")
    if cursor.peek("rename"):
        return Build(rewrite_words(statement), (REBIND,))
    return rewrite_words(statement)


def _append(cursor: Cursor, target: tuple[str, ...]) -> Checked:
    """Move the rows of a table into another one (Developer Guide, ALTER TABLE APPEND)."""
    cursor.expect("from")
    source = cursor.qualified_name()
    extra = next((word for word in ("ignoreextra", "filltarget") if cursor.accept(word)), "")
    if cursor.token is not None:
        raise cursor.fail()
    tables = ", ".join(quote_text(quote_name(*name)) for name in (target, source))
    return Checked(
        (f"SELECT pg_catalog.redshift_append({tables}, '{extra}')",),
        tag="ALTER TABLE APPEND",
        alone="ALTER TABLE APPEND",
    )


def _build(name: tuple[str, ...], changes: dict[str, Any], main: str | None = None) -> Build:
    """Return the change; without a ``main`` of its own it is one that Postgres sees only as a touch of the table."""
    schema = name[-2] if len(name) > 1 else ""
    touch = f"ALTER TABLE {quote_name(*name)} RESET (fillfactor)"
    return Build(main or touch, (declare(schema, name[-1], {"alter": True, **changes}),))


def _add(cursor: Cursor, name: tuple[str, ...], attributes: Attributes) -> Build:
    cursor.accept("column")
    constraint = read_table_constraint(cursor)
    if constraint is not None:
        attributes.constraints.append(constraint)
        not_null = [f"ALTER COLUMN {quote_name(column)} SET NOT NULL" for column in constraint.columns]
        main = f"ALTER TABLE {quote_name(*name)} {', '.join(not_null)}" if constraint.type == "p" else None
        return _build(name, attributes.as_changes(), main)
    column = read_column(cursor, attributes)
    return _build(name, attributes.as_changes(), f"ALTER TABLE {quote_name(*name)} ADD COLUMN {column}")


def _alter(cursor: Cursor, name: tuple[str, ...], attributes: Attributes) -> Build | Checked:
    if cursor.accept("diststyle"):
        attributes.set_style(cursor.name())
        if cursor.accept("distkey"):
            attributes.set_distkey(cursor.name())
    elif cursor.accept("distkey"):
        attributes.set_distkey(cursor.name())
    elif cursor.accept("encode", "auto") or read_sort_key(cursor, attributes):
        pass
    else:
        cursor.accept("column")
        return _alter_column(cursor, name, attributes)
    if cursor.token is not None:
        raise cursor.fail()
    return _build(name, attributes.as_changes())


def _alter_column(cursor: Cursor, name: tuple[str, ...], attributes: Attributes) -> Build | Checked:
    column = cursor.name()
    if cursor.accept("encode"):
        attributes.set_encoding(column, cursor.name())
        return _build(name, attributes.as_changes())
    if cursor.accept("type"):
        return _resize(cursor, name, column)
    if cursor.peek("set", "default") or cursor.peek("drop", "default"):
        raise SqlError("ALTER COLUMN SET/DROP DEFAULT is not supported", "0A000")
    raise SqlError("ALTER TABLE … ALTER COLUMN takes TYPE or ENCODE", "42601")


def _resize(cursor: Cursor, name: tuple[str, ...], column: str) -> Checked:
    kind = read_type(cursor)
    if cursor.accept("using"):
        raise SqlError("ALTER TABLE ALTER COLUMN does not support USING expression", "0A000")
    if cursor.token is not None:
        raise cursor.fail()
    table, quoted = quote_name(*name), quote_name(column)
    arguments = ", ".join(map(quote_text, (table, column, kind)))
    check = f"SELECT pg_catalog.redshift_check_resize({arguments})"
    return Checked((check,), f"ALTER TABLE {table} ALTER COLUMN {quoted} TYPE {kind}", alone="ALTER TABLE ALTER COLUMN")
