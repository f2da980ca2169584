"""Names of tables as people write them, and the tables that they mean in the catalogue of Postgres or Redshift."""

from __future__ import annotations

import re
from collections.abc import Callable

from core.errors import ParameterError
from stores.postgres import quote_name

_LOOKUP = """SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND lower(c.relname) = lower(%s)
AND (lower(n.nspname) = lower(%s) OR %s IS NULL AND pg_table_is_visible(c.oid))
ORDER BY (%s IS NULL OR n.nspname = %s) AND c.relname = %s DESC LIMIT 1"""
_PARTS = re.compile(r'"(?:[^"]|"")+"|`(?:[^`]|``)+`|[^.]+')


def split_name(text: str) -> tuple[str | None, str]:
    """Return schema and table of ``table`` or ``schema.table``, each in quotes or not.

    Raises:
        ParameterError: it is neither.
    """
    parts = parts_of(text)
    if not parts or len(parts) > 2:
        raise ParameterError(f'{text!r} is no table name; write table, schema.table or "odd.name"')
    return (parts[0] if len(parts) == 2 else None), parts[-1]


def quote_table(text: str) -> str:
    """Return ``table`` or ``schema.table``, each in quotes or not, quoted for a statement of Postgres.

    Raises:
        ParameterError: it is neither.
    """
    schema, table = split_name(text)
    return ".".join(quote_name(part) for part in (schema, table) if part)


def parts_of(text: str) -> list[str]:
    """Return the parts of a name between its dots, without quotes."""
    return [_bare(part.strip()) for part in _PARTS.findall(text)]


def _bare(part: str) -> str:
    for quote in ('"', "`"):
        if part.startswith(quote) and part.endswith(quote) and len(part) > 2:
            return part[1:-1].replace(quote * 2, quote)
    return part


def find_relation(
    schema: str | None, table: str, rows: Callable[[str, tuple[object, ...]], list[tuple[object, ...]]]
) -> str | None:
    """Return the quoted name of a table in the catalogue of Postgres or Redshift; nothing if it is not there.

    A name is looked for as it is written, then in any case (an unquoted ``adEvents`` is stored as ``adevents``).
    """
    found = rows(_LOOKUP, (table, schema, schema, schema, schema, table))
    return ".".join(quote_name(str(part)) for part in found[0]) if found else None
