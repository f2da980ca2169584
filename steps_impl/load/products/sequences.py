"""Numbers that were loaded are not given again: sequences of loaded columns go on behind the greatest value."""

from __future__ import annotations

from collections.abc import Sequence

from steps_impl.load.products.postgres_table import PostgresTable, keep_writers_out
from stores.postgres import quote_name
from stores.postgres_target import Target

_OWNED = """SELECT s, n.nspname, c.relname FROM (SELECT pg_get_serial_sequence(%s, %s) AS s) AS q, pg_class c,
pg_namespace n WHERE s IS NOT NULL AND c.oid = s::regclass AND n.oid = c.relnamespace
AND has_sequence_privilege(s, 'UPDATE')"""
_BEHIND = """SELECT m FROM (SELECT max({column}) AS m FROM {table}) AS t, {sequence} AS s
WHERE m > 0 AND (m > s.last_value OR m = s.last_value AND NOT s.is_called)"""


def advance(target: Target, table: PostgresTable, columns: Sequence[str]) -> None:
    """Set the sequences of the loaded columns forward, where this user may; never back.

    Whoever inserts takes the next number under the table's lock; it is held from the look until the end.
    """
    for name in columns:
        for sequence, schema, relation in target.rows(_OWNED, (table.sql, name)):
            place = f"{quote_name(schema)}.{quote_name(relation)}"
            behind = _BEHIND.format(column=quote_name(name), table=table.sql, sequence=place)
            if target.rows(behind):
                keep_writers_out(target, table)
                target.rows(f"SELECT setval(%s, m) FROM ({behind}) AS b", (sequence,))
