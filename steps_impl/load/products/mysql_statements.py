"""The statements that put staged rows into a MySQL table, as pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from steps_impl.load.products.statements import Staged
from steps_impl.load.products.winner import Term
from stores.mysql.connection import quote_name


@dataclass(frozen=True)
class MySqlStaged(Staged):
    """A temporary table beside its target."""

    #: A further temporary table: the rows that do not win.
    losers: str
    #: The staging table's own column: the number of the row in the files; nothing: the keys are unique, rows that are
    #: loaded replace those before, and the order of the files is gone.
    number: str | None

    @staticmethod
    def quoted(name: str) -> str:
        """Return a name as SQL."""
        return quote_name(name)

    @property
    def keeps_last(self) -> bool:
        """Whether LOAD DATA … REPLACE chooses."""
        return self.number is None

    def create(self) -> list[str]:
        """Columns as the target's, without its keys, defaults of AUTO_INCREMENT and triggers."""
        keys = f"KEY ({self.listed(self.keys)})"
        own = f"UNIQUE {keys}"
        if self.number is not None:
            own = f"{quote_name(self.number)} BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, {keys}"
        columns = self.listed(self.columns)
        return [f"CREATE TEMPORARY TABLE {self.staging} ({own}) SELECT {columns} FROM {self.target} LIMIT 0"]

    def find_twice(self) -> list[str]:
        """Make the table, with an index to find its keys by."""
        return [f"CREATE TEMPORARY TABLE {self.twice} (KEY ({self.listed(self.keys)})) {self.select_twice()}"]

    def delete_losers(self, order: Sequence[Term], *, last: bool) -> list[str]:
        """Delete by number; MySQL deletes from no table that the same statement reads elsewhere."""
        name = quote_name(str(self.number))
        ranked = self.ranked(f"s.{name}", [*map(_term, order), f"s.{name} DESC" if last else f"s.{name}"])
        losers = f"SELECT {name} FROM ({ranked}) AS ranked WHERE place > 1"
        return [
            f"CREATE TEMPORARY TABLE {self.losers} (PRIMARY KEY ({name})) {losers}",
            f"DELETE s FROM {self.staging} AS s JOIN {self.losers} AS l ON s.{name} = l.{name}",
        ]

    def delete_matching(self) -> str:
        """Delete the target's rows that have a staged key."""
        return f"DELETE t FROM {self.target} AS t JOIN {self.staging} AS s ON {self.same('t', 's')}"

    def insert(self) -> str:
        """Add all staged rows."""
        return self.insert_into(self.target)

    def insert_into(self, table: str) -> str:
        """Add all staged rows to a table that has the target's columns, in the order of the files if it is known."""
        return f"INSERT INTO {table} ({self.listed(self.columns)}) SELECT {self._values()} FROM {self.staging} AS s" + (
            self._in_order()
        )

    def insert_or_leave(self) -> str:
        """Add rows that no unique key refuses."""
        key = quote_name(self.keys[0])
        return f"{self.insert()} ON DUPLICATE KEY UPDATE {self.target}.{key} = {self.target}.{key}"

    def insert_or_update(self) -> str:
        """Add rows, or change the one that has the same key; the target has no other unique key."""
        if not self.others():
            return self.insert_or_leave()
        changes = ", ".join(f"{self.target}.{quote_name(name)} = s.{quote_name(name)}" for name in self.others())
        return f"{self.insert()} ON DUPLICATE KEY UPDATE {changes}"

    def update_matching(self) -> str | None:
        """Change the rows that have a staged key; nothing if there is nothing but the key."""
        if not self.others():
            return None
        changes = ", ".join(f"t.{quote_name(name)} = s.{quote_name(name)}" for name in self.others())
        return f"UPDATE {self.target} AS t JOIN {self.staging} AS s ON {self.same('t', 's')} SET {changes}"

    def insert_missing(self) -> str:
        """Add rows whose key is not there."""
        joined = f"{self.staging} AS s LEFT JOIN {self.target} AS t ON {self.same('t', 's')}"
        return (
            f"INSERT INTO {self.target} ({self.listed(self.columns)}) SELECT {self._values()} FROM {joined} "
            f"WHERE t.{quote_name(self.keys[0])} IS NULL{self._in_order()}"
        )

    def _in_order(self) -> str:
        return f" ORDER BY s.{quote_name(self.number)}" if self.number is not None else ""

    def _values(self) -> str:
        return ", ".join(f"s.{quote_name(name)}" for name in self.columns)


def _term(term: Term) -> str:
    """MySQL has no NULLS FIRST; whether it is NULL goes before."""
    name = f"s.{quote_name(term.column)}"
    nulls = "DESC" if term.nulls_first else "ASC"
    return f"{name} IS NULL {nulls}, {name} {'DESC' if term.descending else 'ASC'}"
