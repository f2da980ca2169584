"""The primary key of a table, from the engine's own catalog."""

from __future__ import annotations

from steps_impl.quality.engines.end import End, RedshiftEnd, text_of
from steps_impl.tables import catalog
from steps_impl.tables.reader import TokenReader
from stores.mysql import split_table


def primary_key(end: End, table: str) -> tuple[str, ...]:
    """Return the columns of a table's primary key in their order; none where it has none.

    Raises:
        StoreError: the table is not there.
    """
    if isinstance(end, RedshiftEnd):
        return catalog.primary_key(end.session, TokenReader(end.table(table)).table_name())
    if end.engine == "mysql":
        database, name = split_table(table)
        schema = _literal(database) if database else "DATABASE()"
        query = (
            "SELECT column_name FROM information_schema.key_column_usage WHERE constraint_name = 'PRIMARY' "
            f"AND table_schema = {schema} AND table_name = {_literal(name)} ORDER BY ordinal_position"
        )
        return tuple(str(text_of(row[0])) for row in end.rows(query))
    name = "'" + end.table(table).replace("'", "''") + "'"
    query = (
        "SELECT a.attnum, a.attname, c.conkey FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid "
        f"WHERE c.contype = 'p' AND c.conrelid = {name}::regclass AND a.attnum > 0"
    )
    numbers = {int(number): (str(text_of(name)), key) for number, name, key in end.rows(query)}
    order = next((_numbers(key) for _, key in numbers.values()), ())
    return tuple(numbers[number][0] for number in order)


def _numbers(key: object) -> tuple[int, ...]:
    """Return an array of numbers that the driver has read, or left as its text ``{1,2}``."""
    parts = key if isinstance(key, list) else str(key).strip("{}").split(",")
    return tuple(int(part) for part in parts)


def _literal(text: str) -> str:
    """Return a text as a literal of MySQL, which reads a backslash as an escape."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
