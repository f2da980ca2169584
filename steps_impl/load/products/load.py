"""What every way into a product's database has: the table, the rows, the parameters, and how what fails is told."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from core.errors import CheckFailed, LoadRejected, ParameterError, TransactionConflict
from steps_impl.activities.copying.feed import Feed
from steps_impl.activities.copying.rows import Rows
from steps_impl.contract import StepContext
from steps_impl.load.products.parameters import DatabaseLoadParameters
from steps_impl.load.products.statements import Staged
from steps_impl.load.products.table import ProductTable
from stores.rejections import Rejected

T = TypeVar("T", bound=ProductTable)

#: Times that a transaction is tried which another one came in the way of.
_TRIES = 3


@dataclass(frozen=True)
class Load(ABC, Generic[T]):
    """One load, over one connection."""

    parameters: DatabaseLoadParameters
    table: T
    columns: tuple[str, ...]
    rows: Rows
    feed: Feed
    context: StepContext

    @property
    @abstractmethod
    def where(self) -> str:
        """Server and table, for messages."""

    @abstractmethod
    def execute(self, statement: str, doing: str) -> int:
        """Run a statement and return the number of rows that it touched; ``doing`` is for messages."""

    @abstractmethod
    def numbers(self, query: str) -> list[int]:
        """Return the one row of a query."""

    @abstractmethod
    def begin(self) -> None:
        """Begin a transaction that waits for others no longer than it may."""

    @abstractmethod
    def rollback(self) -> None:
        """Undo everything since ``begin``."""

    @abstractmethod
    def make_visible(self) -> None:
        """Commit."""

    @abstractmethod
    def fill(self, table: str) -> None:
        """Load all rows into a table, which is quoted and has the target's columns.

        Raises:
            LoadRejected: a row was refused; the message says which, and why.
        """

    @abstractmethod
    def stage(self, sql: Staged) -> None:
        """Load all rows into the staging table; raises as ``fill``."""

    def finish(self) -> None:
        """Do what follows the last row in the target."""

    def commit(self) -> None:
        """Commit, unless the step was cancelled.

        Raises:
            LoadRejected: a constraint that is looked at last refuses a row; nothing was changed.
        """
        self.stop_when_cancelled()
        with self.refusals_told():
            self.make_visible()

    @contextmanager
    def refusals_told(self) -> Iterator[None]:
        """Raise ``LoadRejected`` when a statement over many rows was refused for one of them."""
        try:
            yield
        except Rejected as rejected:
            column = f", column {rejected.column}" if rejected.column else ""
            raise LoadRejected(f"{self.where} refused a row{column}: {rejected.reason}; nothing was changed") from None

    def stop_when_cancelled(self) -> None:
        """Break off before a moment after which there is no way back."""
        if self.context.cancelled.is_set():
            raise InterruptedError("cancelled before the commit")

    def in_transaction(self, work: Callable[[], dict[str, int]]) -> dict[str, int]:
        """Do ``work`` and commit; after a deadlock or a lock that was not got, again.

        Raises:
            LoadRejected: a row was refused, for example by a foreign key; nothing was changed.
            TransactionConflict: others were in the way each time.
        """
        for _ in range(_TRIES - 1):
            try:
                return self._once(work)
            except TransactionConflict:
                self.rollback()
                self.stop_when_cancelled()
        return self._once(work)

    def _once(self, work: Callable[[], dict[str, int]]) -> dict[str, int]:
        self.begin()
        with self.refusals_told():
            counts = work()
        self.commit()
        return counts

    def require_rows(self) -> None:
        """Refuse to empty a table.

        Raises:
            CheckFailed: no rows came, and ``--allow-empty`` is not given.
        """
        if not self.feed.count and not self.parameters.allow_empty:
            raise CheckFailed(f"the files for {self.where} hold no rows; --allow-empty lets replace empty the table")

    def require_unique(self, keys: tuple[str, ...]) -> None:
        """Refuse keys that several rows of the table may have.

        Raises:
            ParameterError: they are no unique key.
        """
        if not self.table.is_unique(keys):
            known = "; ".join(", ".join(key) for key in self.table.unique) or "none"
            raise ParameterError(
                f"--keys: {', '.join(keys)} is no unique key of {self.where} (those are: {known}); use one of them, "
                "or --mode delete-insert"
            )

    def require_no_spreading(self) -> None:
        """Refuse to delete rows.

        Raises:
            ParameterError: it would change rows of other tables.
        """
        if self.table.spreads:
            raise ParameterError(
                f"{self.where}: a deletion here changes rows of {', '.join(self.table.spreads)}; use --mode upsert, "
                "which deletes none"
            )
