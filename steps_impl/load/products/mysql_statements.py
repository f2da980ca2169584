"""The statements that put staged rows into a MySQL table, as pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from steps_impl.load.products.winner import Term
from stores.mysql.connection import quote_name


@dataclass(frozen=True)
class Staged:
    """A staging table beside its target; names of tables are quoted, names of columns are not."""

    staging: str
    target: str
    columns: tuple[str, ...]
    keys: tuple[str, ...]
    #: The staging table's own column: the number of the row in the files.
    number: str
    #: Names of two further temporary tables.
    twice: str
    losers: str

    def create(self) -> str:
        """Columns as the target's, without its keys, defaults of AUTO_INCREMENT and triggers."""
        index = f", KEY ({_list(self.keys)})" if self.keys else ""
        number = f"{quote_name(self.number)} BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY"
        return (
            f"CREATE TEMPORARY TABLE {self.staging} ({number}{index}) "
            f"SELECT {_list(self.columns)} FROM {self.target} LIMIT 0"
        )

    def count_without_key(self) -> str:
        """Rows with NULL in a key, which match nothing."""
        missing = " OR ".join(f"{quote_name(key)} IS NULL" for key in self.keys)
        return f"SELECT COUNT(*) FROM {self.staging} WHERE {missing}"

    def find_twice(self) -> str:
        """Keys that several rows have."""
        keys = _list(self.keys)
        return (
            f"CREATE TEMPORARY TABLE {self.twice} (KEY ({keys})) SELECT {keys}, COUNT(*) AS `ductrunner rows` "
            f"FROM {self.staging} GROUP BY {keys} HAVING COUNT(*) > 1"
        )

    def count_twice(self) -> str:
        """Keys that several rows have, and the rows that are too many."""
        return f"SELECT COUNT(*), COALESCE(SUM(`ductrunner rows` - 1), 0) FROM {self.twice}"

    def find_losers(self, order: Sequence[Term], *, last: bool) -> str:
        """Rows that do not win: the first in ``order`` does, then the last or first in the files."""
        number = f"s.{quote_name(self.number)}"
        terms = [*map(_term, order), f"{number} DESC" if last else number]
        partition = ", ".join(f"s.{quote_name(key)}" for key in self.keys)
        ranked = (
            f"SELECT {number}, ROW_NUMBER() OVER (PARTITION BY {partition} ORDER BY {', '.join(terms)}) AS place "
            f"FROM {self.staging} AS s JOIN {self.twice} AS d ON {self._same('s', 'd')}"
        )
        name = quote_name(self.number)
        return (
            f"CREATE TEMPORARY TABLE {self.losers} (PRIMARY KEY ({name})) "
            f"SELECT {name} FROM ({ranked}) AS ranked WHERE place > 1"
        )

    def delete_losers(self) -> str:
        """Take the losers away."""
        name = quote_name(self.number)
        return f"DELETE s FROM {self.staging} AS s JOIN {self.losers} AS l ON s.{name} = l.{name}"

    def delete_matching(self) -> str:
        """Delete the target's rows that have a staged key."""
        return f"DELETE t FROM {self.target} AS t JOIN {self.staging} AS s ON {self._same('t', 's')}"

    def insert(self) -> str:
        """Add all staged rows, in the order of the files."""
        return self.insert_into(self.target)

    def insert_into(self, table: str) -> str:
        """Add all staged rows to a table that has the target's columns, in the order of the files."""
        return (
            f"INSERT INTO {table} ({_list(self.columns)}) SELECT {self._values()} FROM {self.staging} AS s "
            f"ORDER BY s.{quote_name(self.number)}"
        )

    def insert_or_leave(self) -> str:
        """Add rows that no unique key refuses."""
        key = quote_name(self.keys[0])
        return f"{self.insert()} ON DUPLICATE KEY UPDATE {self.target}.{key} = {self.target}.{key}"

    def insert_or_update(self) -> str:
        """Add rows, or change the one that has the same key; the target has no other unique key."""
        if not self._others():
            return self.insert_or_leave()
        changes = ", ".join(f"{self.target}.{quote_name(name)} = s.{quote_name(name)}" for name in self._others())
        return f"{self.insert()} ON DUPLICATE KEY UPDATE {changes}"

    def update_matching(self) -> str | None:
        """Change the rows that have a staged key; nothing if there is nothing but the key."""
        if not self._others():
            return None
        changes = ", ".join(f"t.{quote_name(name)} = s.{quote_name(name)}" for name in self._others())
        return f"UPDATE {self.target} AS t JOIN {self.staging} AS s ON {self._same('t', 's')} SET {changes}"

    def insert_missing(self) -> str:
        """Add rows whose key is not there."""
        joined = f"{self.staging} AS s LEFT JOIN {self.target} AS t ON {self._same('t', 's')}"
        return (
            f"INSERT INTO {self.target} ({_list(self.columns)}) SELECT {self._values()} FROM {joined} "
            f"WHERE t.{quote_name(self.keys[0])} IS NULL ORDER BY s.{quote_name(self.number)}"
        )

    def _values(self) -> str:
        return ", ".join(f"s.{quote_name(name)}" for name in self.columns)

    def _others(self) -> list[str]:
        return [name for name in self.columns if name not in self.keys]

    def _same(self, left: str, right: str) -> str:
        return " AND ".join(f"{left}.{quote_name(key)} = {right}.{quote_name(key)}" for key in self.keys)


def _term(term: Term) -> str:
    """MySQL has no NULLS FIRST; whether it is NULL goes before."""
    name = f"s.{quote_name(term.column)}"
    nulls = "DESC" if term.nulls_first else "ASC"
    return f"{name} IS NULL {nulls}, {name} {'DESC' if term.descending else 'ASC'}"


def _list(names: Sequence[str]) -> str:
    return ", ".join(map(quote_name, names))
