"""What is read: a table or a query as something that conditions and limits can be put on."""

from __future__ import annotations

from dataclasses import dataclass

from steps_impl.formats.typed import Column


@dataclass(frozen=True)
class Relation:
    """A table or a query, and what is known about its rows."""

    #: What stands behind FROM, and what between SELECT and FROM.
    source: str
    selection: str
    #: The columns of the output, in order, with their warehouse types.
    columns: tuple[Column, ...]
    #: Their types in the source, by name.
    source_types: dict[str, str]
    #: The statement for all rows where it is the user's own (which may sort them).
    whole: str | None = None
    #: Whether a count must equal the rows read: only a transactional table is the same twice.
    countable: bool = False
    #: The columns of the primary key, in order; none for a query.
    key: tuple[str, ...] = ()

    def rows(self, condition: str = "", limit: int | None = None) -> str:
        """Return the statement for the rows that meet a condition (all of them without one)."""
        if not condition and limit is None and self.whole:
            return self.whole
        return self.select(self.selection, condition) + (f" LIMIT {limit}" if limit is not None else "")

    def select(self, expressions: str, condition: str = "") -> str:
        """Return a statement for other expressions over the same rows."""
        return f"SELECT {expressions} FROM {self.source}" + (f" WHERE {condition}" if condition else "")

    def counting(self, condition: str = "") -> str:
        """Return the statement that counts the rows."""
        return self.select("COUNT(*)", condition)


def both(*conditions: str) -> str:
    """Join conditions with AND; empty ones are left out."""
    kept = [condition for condition in conditions if condition]
    return kept[0] if len(kept) == 1 else " AND ".join(f"({condition})" for condition in kept)
