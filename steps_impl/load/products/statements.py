"""The statements over staged rows that are the same, or have the same place, in MySQL and Postgres."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from steps_impl.load.products.winner import Term

#: The name of a column: how many rows have a key.
_ROWS = "ductrunner rows"


@dataclass(frozen=True)
class Staged(ABC):
    """A temporary table beside its target; names of tables are quoted, names of columns are not."""

    staging: str
    #: Another temporary table: the keys that several rows have.
    twice: str
    target: str
    columns: tuple[str, ...]
    keys: tuple[str, ...]

    @staticmethod
    @abstractmethod
    def quoted(name: str) -> str:
        """Return a name of a column as SQL."""

    @abstractmethod
    def create(self) -> list[str]:
        """Make the staging table."""

    @abstractmethod
    def find_twice(self) -> list[str]:
        """Make the table of the keys that several rows have."""

    @abstractmethod
    def delete_losers(self, order: Sequence[Term], *, last: bool) -> list[str]:
        """Take away the rows that do not win: the first in ``order`` does, then the last or first in the files.

        The last of these statements deletes them.
        """

    @property
    def keeps_last(self) -> bool:
        """Whether a row that is loaded takes the place of one with the same key, so that each is there once."""
        return False

    def count(self) -> str:
        """Count all rows."""
        return f"SELECT COUNT(*) FROM {self.staging}"

    def count_without_key(self) -> str:
        """Count rows with NULL in a key, which match nothing."""
        missing = " OR ".join(f"{self.quoted(key)} IS NULL" for key in self.keys)
        return f"SELECT COUNT(*) FROM {self.staging} WHERE {missing}"

    def select_twice(self) -> str:
        """Select keys that several rows have, and the number of those."""
        keys = self.listed(self.keys)
        rows = f"COUNT(*) AS {self.quoted(_ROWS)}"
        return f"SELECT {keys}, {rows} FROM {self.staging} GROUP BY {keys} HAVING COUNT(*) > 1"

    def count_twice(self) -> str:
        """Count keys that several rows have, and the rows that are too many."""
        return f"SELECT COUNT(*), COALESCE(SUM({self.quoted(_ROWS)} - 1), 0) FROM {self.twice}"

    def ranked(self, row: str, terms: Sequence[str]) -> str:
        """Select ``row`` and its ``place`` by terms of an order, among the rows of each key that has several."""
        partition = ", ".join(f"s.{self.quoted(key)}" for key in self.keys)
        return (
            f"SELECT {row}, ROW_NUMBER() OVER (PARTITION BY {partition} ORDER BY {', '.join(terms)}) AS place "
            f"FROM {self.staging} AS s JOIN {self.twice} AS d ON {self.same('s', 'd')}"
        )

    def others(self) -> list[str]:
        """Return the loaded columns beside the key."""
        return [name for name in self.columns if name not in self.keys]

    def same(self, left: str, right: str) -> str:
        """Return the condition that rows of two tables have one key."""
        keys = map(self.quoted, self.keys)
        return " AND ".join(f"{left}.{key} = {right}.{key}" for key in keys)

    def listed(self, names: Sequence[str]) -> str:
        """Return names of columns as SQL."""
        return ", ".join(map(self.quoted, names))
