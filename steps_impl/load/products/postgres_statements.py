"""The statements that put staged rows into a Postgres table, as pure functions.

The place of a row in the staging table (``ctid``) tells its place in the files: one COPY has filled the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from steps_impl.load.products.statements import Staged
from steps_impl.load.products.winner import Term
from stores.postgres import quote_name

STAGING = "pg_temp.ductrunner_staging"
TWICE = "pg_temp.ductrunner_twice"
#: Of the server, while keys that come twice are looked for.
_MEMORY = "64MB"


@dataclass(frozen=True)
class PostgresStaged(Staged):
    """A temporary table beside its target."""

    #: Columns of the target that the files do not hold.
    absent: tuple[str, ...]
    #: Whether a column is GENERATED ALWAYS AS IDENTITY: INSERT needs to be told that its values are given.
    overrides: bool
    #: Whether keys that come twice are found by sorting: of numbers and times it takes half the time of hashing.
    sorts: bool

    @staticmethod
    def quoted(name: str) -> str:
        """Return a name as SQL."""
        return quote_name(name)

    def create(self) -> list[str]:
        """Columns as the target's, with NOT NULL and without keys, defaults and identity."""
        made = [f"CREATE TEMPORARY TABLE {_bare(self.staging)} (LIKE {self.target})"]
        dropped = ", ".join(f"DROP COLUMN {quote_name(name)}" for name in self.absent)
        return [*made, f"ALTER TABLE {self.staging} {dropped}"] if dropped else made

    def find_twice(self) -> list[str]:
        """Make the table, with memory to do so."""
        made = f"CREATE TEMPORARY TABLE {_bare(self.twice)} AS {self.select_twice()}"
        sorting = ["SET LOCAL enable_hashagg = off"] if self.sorts else []
        return [f"SET LOCAL work_mem = '{_MEMORY}'", *sorting, made]

    def delete_losers(self, order: Sequence[Term], *, last: bool) -> list[str]:
        """Delete by place."""
        ranked = self.ranked("s.ctid AS row", [*map(_term, order), "s.ctid DESC" if last else "s.ctid"])
        lost = "s.ctid = ranked.row AND ranked.place > 1"
        return [f"DELETE FROM {self.staging} AS s USING ({ranked}) AS ranked WHERE {lost}"]

    def delete_matching(self) -> str:
        """Delete the target's rows that have a staged key."""
        return f"DELETE FROM {self.target} AS t USING {self.staging} AS s WHERE {self.same('t', 's')}"

    def insert(self) -> str:
        """Add all staged rows, in the order of the files, in which a temporary table is read."""
        overriding = " OVERRIDING SYSTEM VALUE" if self.overrides else ""
        names = self.listed(self.columns)
        return f"INSERT INTO {self.target} ({names}){overriding} SELECT {names} FROM {self.staging}"

    def insert_or_leave(self) -> str:
        """Add rows that no unique key refuses."""
        return f"{self.insert()} ON CONFLICT DO NOTHING"

    def insert_or_update(self) -> str:
        """Add rows, or change the one that has the same key."""
        names = [quote_name(name) for name in self.others()]
        if not names:
            return f"{self.insert()} ON CONFLICT ({self.listed(self.keys)}) DO NOTHING"
        changes = ", ".join(f"{name} = EXCLUDED.{name}" for name in names)
        return f"{self.insert()} ON CONFLICT ({self.listed(self.keys)}) DO UPDATE SET {changes}"


def copy_in(table: str, columns: Sequence[str]) -> str:
    """Return the COPY of lines into a table; ``table`` is quoted."""
    return f"COPY {table} ({', '.join(map(quote_name, columns))}) FROM STDIN"


def _bare(name: str) -> str:
    return name.removeprefix("pg_temp.")


def _term(term: Term) -> str:
    direction = "DESC" if term.descending else "ASC"
    return f"s.{quote_name(term.column)} {direction} NULLS {'FIRST' if term.nulls_first else 'LAST'}"
