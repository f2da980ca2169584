"""The table of an SQL data node: whether it is there, and making it when it is not."""

from __future__ import annotations

from collections.abc import Callable

from core.errors import NotFound, ParameterError
from steps_impl.activities.copying.relations import find_relation, parts_of
from steps_impl.activities.objects.nodes import AnySqlNode


def name_parts(node: AnySqlNode) -> tuple[str | None, str]:
    """Return schema and table of a node; ``schema.table`` in ``table`` is read too.

    Raises:
        ParameterError: the node names no table, or too many parts.
    """
    parts = parts_of(node.table or "")
    if not parts or len(parts) > 2:
        raise ParameterError(f"{node.label} needs a table: table, schema.table, or table with schemaName")
    schema = parts[0] if len(parts) == 2 else node.schema_name
    return schema, parts[-1]


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


def find_in_catalog(
    node: AnySqlNode, rows: Callable[[str, tuple[object, ...]], list[tuple[object, ...]]]
) -> str | None:
    """Return the quoted name of a node's table in the catalogue of Postgres or Redshift; nothing if it is not there."""
    return find_relation(*name_parts(node), rows)


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
