"""What a database says about a row that it does not take, without the row."""

from __future__ import annotations


class Rejected(Exception):
    """A row was refused. Whoever sent the rows knows which file they are of, and raises an error of the tree.

    ``row`` counts the rows of the statement or stream from 1; ``column`` is the table's. Either is ``None`` where the
    server does not tell. ``reason`` never holds a value.
    """

    def __init__(self, row: int | None, column: str | None, reason: str) -> None:
        super().__init__(row, column, reason)
        self.row = row
        self.column = column
        self.reason = reason
