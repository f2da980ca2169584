"""Which column of a table each value of a row goes to."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import SchemaMismatch


def chosen_columns(given: Sequence[str] | None, table: Sequence[str], where: str) -> tuple[str, ...]:
    """Return the table's columns for the values of a row, in the order of the row.

    ``given`` are the names in the data format or of the query. When the table has all of them (in any case) they
    choose; otherwise the order of the table does, as long as no name says otherwise.

    Raises:
        SchemaMismatch: the table has only some of the names, at other places, or another number of columns.
    """
    if not given:
        return tuple(table)
    spelling = {name.lower(): name for name in reversed(table)}
    missing = [name for name in given if name.lower() not in spelling]
    if not missing:
        return tuple(spelling[name.lower()] for name in given)
    if len(given) != len(table):
        has = f"has {len(table)} columns and no {', '.join(missing)}, the input {len(given)} columns"
        raise SchemaMismatch(f"{where} {has}; correct the input's columns, or give insertQuery")
    moved = [
        own for name, own in zip(given, table, strict=True) if name.lower() in spelling and name.lower() != own.lower()
    ]
    if moved:
        raise SchemaMismatch(
            f"{where} has no column {', '.join(missing)}, and others in another order; correct the input's columns, or "
            "give insertQuery"
        )
    return tuple(table)
