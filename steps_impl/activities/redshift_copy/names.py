"""The table that a RedshiftDataNode names."""

from __future__ import annotations

import re

from core.errors import ParameterError
from steps_impl.activities.objects.nodes import RedshiftDataNode
from steps_impl.tables.model import TableName

#: Developer Guide, *RedshiftDataNode*, schemaName.
_DEFAULT_SCHEMA = "public"
_PART = re.compile(r'"(?:[^"]|"")+"|[^."]+')


def table_of(node: RedshiftDataNode) -> TableName:
    """Return the table; ``tableName`` may be ``schema.table``, as Dataduct writes it, beside a ``schemaName``.

    Raises:
        ParameterError: the name has other parts, or names another schema than ``schemaName``.
    """
    parts = _PART.findall(node.table_name.strip())
    if not 1 <= len(parts) <= 2 or ".".join(parts) != node.table_name.strip():
        raise ParameterError(f"{node.label}: tableName {node.table_name!r} is not of the form table or schema.table")
    given = _folded(node.schema_name) if node.schema_name else None
    own = _folded(parts[0]) if len(parts) == 2 else None
    if given and own and given != own:
        raise ParameterError(f"{node.label}: tableName names the schema {own}, schemaName {given}; name one")
    return TableName(_folded(parts[-1]), own or given or _DEFAULT_SCHEMA)


def columns_of(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return names of columns as the warehouse has them; one field may hold several, with commas between."""
    return tuple(_folded(part) for name in names for part in name.split(",") if part.strip())


def _folded(name: str) -> str:
    """A name is in small letters unless it stands in quotes."""
    text = name.strip()
    return text[1:-1].replace('""', '"') if text.startswith('"') else text.lower()
