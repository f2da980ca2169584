"""Tables that a definition wants made when they are not there: ``createTableSql``."""

from __future__ import annotations

from core.errors import NotFound, StatementFailed, TransactionConflict
from stores.sql import SqlSession, Statement


def table_exists(session: SqlSession, name: str) -> bool:
    """Tell whether a table can be read; ``name`` is as it stands in a statement. Not inside a transaction."""
    try:
        session.rows(Statement(f"SELECT 1 FROM {name} WHERE 1 = 0", f"look for the table {name}"))
    except NotFound:
        return False
    return True


def create_if_missing(session: SqlSession, name: str, create_table_sql: str | None) -> bool:
    """Run ``createTableSql`` as it is if the table is not there; tell whether that was so. Not inside a transaction.

    Raises:
        StoreError: the statement failed, and not because somebody else has made the table meanwhile.
    """
    if not create_table_sql or table_exists(session, name):
        return False
    try:
        session.execute(Statement(create_table_sql, f"create the table {name}"))
    except (StatementFailed, TransactionConflict):
        if table_exists(session, name):
            return False
        raise
    return True


def full_name(table: str, schema: str | None) -> str:
    """Return the table as it stands in a statement; a schema goes before it unless it names one itself."""
    return f"{schema}.{table}" if schema and "." not in table else table
