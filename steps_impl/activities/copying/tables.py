"""The table of an SQL data node: whether it is there, and making it when it is not."""

from __future__ import annotations

import re
from collections.abc import Callable

from core.errors import NotFound, ParameterError
from steps_impl.activities.objects.nodes import AnySqlNode
from stores.postgres import quote_name

_LOOKUP = """SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND lower(c.relname) = lower(%s)
AND (lower(n.nspname) = lower(%s) OR %s IS NULL AND pg_table_is_visible(c.oid))
ORDER BY (%s IS NULL OR n.nspname = %s) AND c.relname = %s DESC LIMIT 1"""
_PARTS = re.compile(r'"(?:[^"]|"")+"|`(?:[^`]|``)+`|[^.]+')


def name_parts(node: AnySqlNode) -> tuple[str | None, str]:
    """Return schema and table of a node; ``schema.table`` in ``table`` is read too.

    Raises:
        ParameterError: the node names no table, or too many parts.
    """
    parts = _parts(node.table or "")
    if not parts or len(parts) > 2:
        raise ParameterError(f"{node.label} needs a table: table, schema.table, or table with schemaName")
    schema = parts[0] if len(parts) == 2 else node.schema_name
    return schema, parts[-1]


def split_name(text: str) -> tuple[str | None, str]:
    """Return schema and table of ``table`` or ``schema.table``, each in quotes or not.

    Raises:
        ParameterError: it is neither.
    """
    parts = _parts(text)
    if not parts or len(parts) > 2:
        raise ParameterError(f'{text!r} is no table name; write table, schema.table or "odd.name"')
    return (parts[0] if len(parts) == 2 else None), parts[-1]


def _parts(text: str) -> list[str]:
    return [_bare(part.strip()) for part in _PARTS.findall(text)]


def ensure(node: AnySqlNode, find: Callable[[], str | None], create: Callable[[str], object], where: str) -> str:
    """Return the quoted name of the node's table, which ``createTableSql`` makes when it is not there.

    Raises:
        NotFound: it is not there, also not after ``createTableSql``.
    """
    if name := find():
        return name
    if node.create_table_sql:
        create(node.create_table_sql)
        if name := find():
            return name
        raise NotFound(f"{where}: createTableSql of {node.label} ran, but there is no table {node.table}; correct it")
    raise NotFound(f"{where} has no table {node.table} ({node.label}); create it or give createTableSql")


def _bare(part: str) -> str:
    for quote in ('"', "`"):
        if part.startswith(quote) and part.endswith(quote) and len(part) > 2:
            return part[1:-1].replace(quote * 2, quote)
    return part


def find_in_catalog(
    node: AnySqlNode, rows: Callable[[str, tuple[object, ...]], list[tuple[object, ...]]]
) -> str | None:
    """Return the quoted name of a node's table in the catalogue of Postgres or Redshift; nothing if it is not there."""
    return find_relation(*name_parts(node), rows)


def find_relation(
    schema: str | None, table: str, rows: Callable[[str, tuple[object, ...]], list[tuple[object, ...]]]
) -> str | None:
    """Return the quoted name of a table in the catalogue of Postgres or Redshift; nothing if it is not there.

    A name is looked for as it is written, then in any case (an unquoted ``adEvents`` is stored as ``adevents``).
    """
    found = rows(_LOOKUP, (table, schema, schema, schema, schema, table))
    return ".".join(quote_name(str(part)) for part in found[0]) if found else None


def require_in_catalog(
    node: AnySqlNode, rows: Callable[[str, tuple[object, ...]], list[tuple[object, ...]]], where: str
) -> str:
    """Return the quoted name of a node's table, as ``find_in_catalog``.

    Raises:
        NotFound: it is not there.
    """
    name = find_in_catalog(node, rows)
    if name is None:
        raise NotFound(f"{where} has no table {node.table} ({node.label}); check its name and the user's grants")
    return name
