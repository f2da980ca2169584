"""What goes from a source to a target: names and kinds of columns, and chunks of lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from steps_impl.activities.copying.lines import Chunk


@dataclass(frozen=True)
class Rows:
    """The rows of a source, once."""

    chunks: Iterator[Chunk]
    #: Names of the columns where they are known, for messages and to find the target's columns.
    names: tuple[str, ...] | None = None
    #: Places of columns whose values are bytes, written in hexadecimal; ``None``: files, where nobody knows.
    binary: frozenset[int] | None = None
    #: Names of columns whose text only the same engine understands (Postgres' bit strings), and that engine.
    foreign: dict[str, str] = field(default_factory=dict)

    def column_name(self, index: int) -> str:
        """Return what to call a column of the source in a message."""
        if self.names and index < len(self.names):
            return f"column {self.names[index]}"
        return f"column {index + 1}"
