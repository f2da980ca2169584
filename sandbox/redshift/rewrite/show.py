"""SHOW of objects (Developer Guide, SHOW TABLE, SHOW TABLES, SHOW COLUMNS …): functions of the catalog answer."""

from __future__ import annotations

from typing import Final

from sandbox.redshift.cursor import Cursor, quote_name, quote_text
from sandbox.redshift.errors import SqlError
from sandbox.redshift.tokens import Statement

#: What follows FROM, the columns that a name there gives, and the column that is listed.
_LISTINGS: Final = {
    "schemas": ("database", ("database_name",), "schema_name"),
    "tables": ("schema", ("schema_name",), "table_name"),
    "columns": ("table", ("schema_name", "table_name"), "column_name"),
}


def rewrite_show(statement: Statement) -> str | None:
    """Return the query behind a SHOW of objects; ``None`` when it is one of a setting.

    Raises:
        SqlError: it is not written as Redshift has it.
    """
    cursor = Cursor(statement)
    cursor.expect("show")
    query = _definition(cursor) or _listing(cursor)
    if query is None:
        return None
    if cursor.token is not None:
        raise cursor.fail()
    return query


def _listing(cursor: Cursor) -> str | None:
    if cursor.accept("databases"):
        return f"SELECT * FROM pg_catalog.redshift_show_databases WHERE true{_filter(cursor, 'database_name')}"
    if cursor.accept("constraints"):
        return _constraints(cursor)
    for word, (kind, columns, listed) in _LISTINGS.items():
        if cursor.accept(word):
            cursor.expect("from", kind)
            where = _where(cursor, *columns) + _filter(cursor, listed)
            return f"SELECT * FROM pg_catalog.redshift_show_{word} WHERE {where}"
    return None


def _constraints(cursor: Cursor) -> str:
    """Read ``{PRIMARY KEYS | FOREIGN KEYS [EXPORTED]} FROM TABLE name [LIMIT n]``."""
    primary = cursor.accept("primary")
    if not primary:
        cursor.expect("foreign")
    cursor.expect("keys")
    prefix = "" if primary else "pk_" if cursor.accept("exported") else "fk_"
    cursor.expect("from", "table")
    where = _where(cursor, f"{prefix}schema_name", f"{prefix}table_name")
    view = f"pg_catalog.redshift_show_{'primary' if primary else 'foreign'}_keys"
    ordered = "key_seq" if primary else "fk_schema_name, fk_table_name, fk_name, key_seq"
    return f"SELECT * FROM {view} WHERE {where} ORDER BY {ordered}{_limit(cursor)}"


def _definition(cursor: Cursor) -> str | None:
    if cursor.accept("table"):
        name = quote_text(quote_name(*_local(cursor, cursor.qualified_name(), 2)))
        return f'SELECT pg_catalog.redshift_show_table({name}) AS "Show Table DDL statement"'
    if cursor.accept("view"):
        name = quote_text(quote_name(*_local(cursor, cursor.qualified_name(), 2)))
        return f'SELECT pg_catalog.redshift_show_view({name}) AS "Show View DDL statement"'
    return None


def _where(cursor: Cursor, *columns: str) -> str:
    """Return the condition for a name that may begin with the database's."""
    parts = _local(cursor, cursor.qualified_name(), len(columns))
    if len(parts) < len(columns):
        raise SqlError("SHOW needs the schema's name before the table's", "42601")
    return " AND ".join(f"{column} = {quote_text(part)}" for column, part in zip(columns, parts, strict=True))


def _local(cursor: Cursor, parts: tuple[str, ...], longest: int) -> tuple[str, ...]:
    if len(parts) > longest + 1:
        raise cursor.fail()
    return parts[-longest:]


def _filter(cursor: Cursor, listed: str) -> str:
    """Read ``[LIKE 'pattern'] [LIMIT n]``; the pattern is for the names that are ``listed``."""
    pattern = f" AND {listed} LIKE {quote_text(cursor.string())}" if cursor.accept("like") else ""
    return pattern + _limit(cursor)


def _limit(cursor: Cursor) -> str:
    return f" LIMIT {cursor.integer()}" if cursor.accept("limit") else ""
