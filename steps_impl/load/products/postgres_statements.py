"""The statements that put staged rows into a Postgres table, as pure functions.

The place of a row in the staging table (``ctid``) tells its place in the files: one COPY has filled the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from steps_impl.load.products.winner import Term
from stores.postgres import quote_name

STAGING = "pg_temp.ductrunner_staging"
_TWICE = "pg_temp.ductrunner_twice"


@dataclass(frozen=True)
class Staged:
    """A temporary table beside its target; names of columns are not quoted."""

    target: str
    columns: tuple[str, ...]
    keys: tuple[str, ...]
    #: Columns of the target that the files do not hold.
    others: tuple[str, ...]
    #: Whether a column is GENERATED ALWAYS AS IDENTITY: INSERT needs to be told that its values are given.
    overrides: bool

    def create(self) -> list[str]:
        """Columns as the target's, with NOT NULL and without keys, defaults and identity."""
        made = [f"CREATE TEMPORARY TABLE {STAGING.removeprefix('pg_temp.')} (LIKE {self.target})"]
        dropped = ", ".join(f"DROP COLUMN {quote_name(name)}" for name in self.others)
        return [*made, f"ALTER TABLE {STAGING} {dropped}"] if dropped else made

    def count_without_key(self) -> str:
        """Rows with NULL in a key, which match nothing."""
        missing = " OR ".join(f"{quote_name(key)} IS NULL" for key in self.keys)
        return f"SELECT COUNT(*) FROM {STAGING} WHERE {missing}"

    def find_twice(self) -> str:
        """Keys that several rows have."""
        keys = _list(self.keys)
        return (
            f'CREATE TEMPORARY TABLE {_TWICE.removeprefix("pg_temp.")} AS SELECT {keys}, COUNT(*) AS "ductrunner rows" '
            f"FROM {STAGING} GROUP BY {keys} HAVING COUNT(*) > 1"
        )

    def count_twice(self) -> str:
        """Keys that several rows have, and the rows that are too many."""
        return f'SELECT COUNT(*), COALESCE(SUM("ductrunner rows" - 1), 0)::bigint FROM {_TWICE}'

    def delete_losers(self, order: Sequence[Term], *, last: bool) -> str:
        """Take away the rows that do not win: the first in ``order`` does, then the last or first in the files."""
        terms = [*map(_term, order), "s.ctid DESC" if last else "s.ctid"]
        partition = ", ".join(f"s.{quote_name(key)}" for key in self.keys)
        ranked = (
            f"SELECT s.ctid AS row, ROW_NUMBER() OVER (PARTITION BY {partition} ORDER BY {', '.join(terms)}) AS place "
            f"FROM {STAGING} AS s JOIN {_TWICE} AS d ON {self._same('s', 'd')}"
        )
        lost = "s.ctid = ranked.row AND ranked.place > 1"
        return f"DELETE FROM {STAGING} AS s USING ({ranked}) AS ranked WHERE {lost}"

    def delete_matching(self) -> str:
        """Delete the target's rows that have a staged key."""
        return f"DELETE FROM {self.target} AS t USING {STAGING} AS s WHERE {self._same('t', 's')}"

    def insert(self) -> str:
        """Add all staged rows, in the order of the files, in which a temporary table is read."""
        overriding = " OVERRIDING SYSTEM VALUE" if self.overrides else ""
        names = _list(self.columns)
        return f"INSERT INTO {self.target} ({names}){overriding} SELECT {names} FROM {STAGING}"

    def insert_or_leave(self) -> str:
        """Add rows that no unique key refuses."""
        return f"{self.insert()} ON CONFLICT DO NOTHING"

    def insert_or_update(self) -> str:
        """Add rows, or change the one that has the same key."""
        names = [quote_name(name) for name in self.columns if name not in self.keys]
        if not names:
            return f"{self.insert()} ON CONFLICT ({_list(self.keys)}) DO NOTHING"
        changes = ", ".join(f"{name} = EXCLUDED.{name}" for name in names)
        return f"{self.insert()} ON CONFLICT ({_list(self.keys)}) DO UPDATE SET {changes}"

    def _same(self, left: str, right: str) -> str:
        return " AND ".join(f"{left}.{quote_name(key)} = {right}.{quote_name(key)}" for key in self.keys)


def copy_in(table: str, columns: Sequence[str]) -> str:
    """Return the COPY of lines into a table; ``table`` is quoted."""
    return f"COPY {table} ({_list(columns)}) FROM STDIN"


def _term(term: Term) -> str:
    direction = "DESC" if term.descending else "ASC"
    return f"s.{quote_name(term.column)} {direction} NULLS {'FIRST' if term.nulls_first else 'LAST'}"


def _list(names: Sequence[str]) -> str:
    return ", ".join(map(quote_name, names))
