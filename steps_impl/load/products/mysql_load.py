"""What every way into a MySQL table has: the target, the rows, the parameters, and how what fails is told."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from core.errors import CheckFailed, LoadRejected, ParameterError, TransactionConflict
from steps_impl.activities.copying.feed import Feed
from steps_impl.activities.copying.mysql_bulk import Into, load_all
from steps_impl.activities.copying.rows import Rows
from steps_impl.contract import StepContext
from steps_impl.load.products.mysql_table import MySqlTable
from steps_impl.load.products.parameters import DatabaseLoadParameters
from stores.mysql.target import Target
from stores.rejections import Rejected

#: Times that a transaction is tried which another one came in the way of.
_TRIES = 3


@dataclass(frozen=True)
class MySqlLoad:
    """One load."""

    parameters: DatabaseLoadParameters
    target: Target
    table: MySqlTable
    columns: tuple[str, ...]
    rows: Rows
    feed: Feed
    context: StepContext

    @property
    def where(self) -> str:
        """Server and table, for messages."""
        return f"{self.target.where}, table {self.table}"

    def into(self, table: str) -> Into:
        """Return where a bulk load goes; ``table`` is quoted and has the target's columns."""
        return Into(table, tuple(self.table.columns[name.lower()] for name in self.columns))

    def fill(self, table: str) -> None:
        """Load all rows into a table.

        Raises:
            LoadRejected: the server did not take a row as it is; the message says which, and why.
        """
        try:
            load_all(self.target, self.into(table), self.feed, self.rows)
        except Rejected as rejected:
            raise self.feed.refusal(rejected, self.where) from None

    def require_rows(self) -> None:
        """Refuse to empty a table.

        Raises:
            CheckFailed: no rows came, and ``--allow-empty`` is not given.
        """
        if not self.feed.count and not self.parameters.allow_empty:
            raise CheckFailed(f"the files for {self.where} hold no rows; --allow-empty lets replace empty the table")

    def require_transactions(self) -> None:
        """Refuse tables of which half a load could be seen.

        Raises:
            ParameterError: the table's engine knows no transactions.
        """
        if not self.table.transactional:
            raise ParameterError(
                f"{self.where}: its engine has no transactions, so that half a load could be seen; use --mode replace, "
                "which swaps whole tables, or ALTER TABLE … ENGINE=InnoDB"
            )

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
                self.stop_when_cancelled()
                self.target.execute("ROLLBACK")
        return self._once(work)

    def _once(self, work: Callable[[], dict[str, int]]) -> dict[str, int]:
        self.target.begin()
        try:
            counts = work()
        except Rejected as rejected:
            column = f", column {rejected.column}" if rejected.column else ""
            raise LoadRejected(f"{self.where} refused a row{column}: {rejected.reason}; nothing was changed") from None
        self.stop_when_cancelled()
        self.target.commit()
        return counts

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other loads of this table waiting (MySQL Reference Manual, *Locking Functions*); a dead one frees it.

        Raises:
            TransactionConflict: another load did not end in time.
        """
        name = f"ductrunner_{digest(self.table)}"
        if self.target.rows(f"SELECT GET_LOCK('{name}', {self.parameters.lock_timeout})")[0][0] != "1":
            raise TransactionConflict(f"{self.where}: another load goes into it and did not end in time; try again")
        yield  # the lock ends with the connection, or here
        self.target.rows(f"SELECT RELEASE_LOCK('{name}')")


def digest(table: MySqlTable) -> str:
    """Return a short name for a table."""
    return hashlib.sha256(f"{table.schema}\0{table.name}".encode()).hexdigest()[:12]
