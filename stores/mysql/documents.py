"""Which columns of a table hold JSON.

MySQL has a type for it. In MariaDB JSON is another name of LONGTEXT with ``CHECK (json_valid(…))`` (Knowledge Base,
*JSON Data Type*), and neither the protocol nor SHOW COLUMNS tells it from a text. SHOW CREATE TABLE does, to whoever
may read or write; ``information_schema.check_constraints`` shows nothing to such a user.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

_CHECK = re.compile(r"CHECK \(json_valid\(`((?:[^`]|``)+)`\)\)")


def json_columns(
    ask: Callable[[str], Sequence[Sequence[str | None]]], table: str, types: Mapping[str, str]
) -> frozenset[str]:
    """Return the names of the columns that hold nothing but JSON.

    Args:
        ask: runs a query and returns its rows as text.
        table: the quoted name.
        types: its columns and their types as SHOW COLUMNS tells them.
    """
    typed = frozenset(name for name, kind in types.items() if kind == "json")
    if "longtext" not in types.values():
        return typed
    checked = {name.replace("``", "`") for name in _CHECK.findall(str(ask(f"SHOW CREATE TABLE {table}")[0][1]))}
    return typed | {name for name in checked if types.get(name) == "longtext"}
