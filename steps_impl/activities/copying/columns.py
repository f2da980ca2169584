"""Which column of a table each value of a row goes to."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import SchemaMismatch


def chosen_columns(given: Sequence[str] | None, table: Sequence[str], where: str) -> tuple[str, ...]:
    """Return the table's columns for the values of a row, in the order of the row.

    ``given`` are the names in the data format or of the query: when the table has all of them (in any case) they
    choose, when it has none of them the order of the table does.

    Raises:
        SchemaMismatch: the table has only some of the names, or another number of columns than a row has values.
    """
    if not given:
        return tuple(table)
    spelling = {name.lower(): name for name in reversed(table)}
    missing = [name for name in given if name.lower() not in spelling]
    if not missing:
        return tuple(spelling[name.lower()] for name in given)
    if len(missing) < len(given):
        raise SchemaMismatch(f"{where} has no column {', '.join(missing)}; correct the names of the input's columns")
    if len(given) != len(table):
        raise SchemaMismatch(
            f"{where} has {len(table)} columns and the input {len(given)}, with other names; give insertQuery"
        )
    return tuple(table)
