"""The part of Python's database interface (PEP 249) that a hook needs, over any of our connections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

Run = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]


class HookConnection:
    """A connection as hooks see it; ``commit`` is not needed (each statement is done at once)."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def cursor(self) -> HookCursor:
        """Return a cursor."""
        return HookCursor(self._run)

    def commit(self) -> None:
        """Nothing is open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the connection to the step."""


class HookCursor:
    """A cursor that holds the rows of the last statement."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._rows: list[tuple[Any, ...]] = []

    def execute(self, statement: str, values: Sequence[Any] = ()) -> None:
        """Run a statement; ``%s`` in it stand for values."""
        self._rows = self._run(statement, values)

    def fetchone(self) -> tuple[Any, ...] | None:
        """Return the next row."""
        return self._rows.pop(0) if self._rows else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return the rows that are left."""
        rows, self._rows = self._rows, []
        return rows

    def close(self) -> None:
        """Forget the rows."""
        self._rows = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
