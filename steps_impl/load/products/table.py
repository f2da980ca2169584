"""What a load has to know of a table, whatever the engine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass


@dataclass(frozen=True)
class ProductTable(ABC):
    """A table of a product's database."""

    schema: str
    name: str
    #: Columns that take values, and those whose values the server makes itself.
    writable: tuple[str, ...]
    made: tuple[str, ...]
    #: The columns of the primary key, and of each unique key over whole columns and all rows.
    primary: tuple[str, ...]
    unique: tuple[tuple[str, ...], ...]
    #: Tables whose rows a deletion here changes, and how.
    spreads: tuple[str, ...]

    @property
    @abstractmethod
    def sql(self) -> str:
        """The quoted name."""

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"

    def is_unique(self, columns: tuple[str, ...]) -> bool:
        """Tell whether these columns, in any order, are a unique key."""
        return any(set(key) == set(columns) for key in self.unique)
