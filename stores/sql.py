"""What sessions of all SQL stores have in common: the statement, and what can be done with one."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol, Self


@dataclass(frozen=True)
class Statement:
    """A statement, its parameters (``%s`` in the text), and what it is for, in words for an error message."""

    text: str = field(repr=False)  # a COPY may hold keys, a parameter anything
    doing: str
    parameters: tuple[Any, ...] = field(default=(), repr=False)


class SqlSession(Protocol):
    """A connection to an SQL database; its methods raise ``StoreError``, or ``InterruptedError`` when cancelled."""

    @property
    def where(self) -> str:
        """Host, port and database, for messages."""

    def execute(self, statement: Statement) -> int:
        """Run a statement and return how many rows it touched (-1 where that has no meaning)."""

    def rows(self, statement: Statement) -> list[tuple[Any, ...]]:
        """Run a query with a small answer and return its rows."""

    def transaction(self) -> AbstractContextManager[None]:
        """Everything inside becomes visible together at the end, or not at all."""

    def close(self) -> None:
        """End the session."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...
