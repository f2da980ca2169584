"""What every way into a Postgres table has: the target, the rows, the parameters, and how what fails is told."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from core.errors import CheckFailed, LoadRejected, TransactionConflict
from steps_impl.activities.copying.feed import Feed, binary_treatment
from steps_impl.activities.copying.rows import Rows
from steps_impl.contract import StepContext
from steps_impl.load.products.parameters import DatabaseLoadParameters
from steps_impl.load.products.postgres_statements import copy_in
from steps_impl.load.products.postgres_table import PostgresTable
from stores.postgres_target import Target
from stores.rejections import Rejected

#: Times that a transaction is tried which another one came in the way of.
_TRIES = 3


@dataclass(frozen=True)
class PostgresLoad:
    """One load."""

    parameters: DatabaseLoadParameters
    target: Target
    table: PostgresTable
    columns: tuple[str, ...]
    rows: Rows
    feed: Feed
    context: StepContext

    @property
    def where(self) -> str:
        """Server and table, for messages."""
        return f"{self.target.where}, table {self.table}"

    def fill(self, table: str) -> None:
        """Copy all rows into a table, which is quoted and has the target's columns.

        Raises:
            LoadRejected: a row was refused; the message says which, and why.
        """
        places = frozenset(n for n, name in enumerate(self.columns) if self.table.column(name).type == "bytea")
        self.feed.treat = binary_treatment(self.rows, places, self.columns, b"\\x")
        try:
            taken = self.target.copy_in(copy_in(table, self.columns), (chunk.text for chunk in self.feed.chunks()))
        except Rejected as rejected:
            raise self.feed.refusal(rejected, self.where) from None
        if taken != self.feed.count:  # a trigger may leave rows out
            raise LoadRejected(f"{self.where} took {taken} rows of {self.feed.count}; nothing was changed")

    def require_rows(self) -> None:
        """Refuse to empty a table.

        Raises:
            CheckFailed: no rows came, and ``--allow-empty`` is not given.
        """
        if not self.feed.count and not self.parameters.allow_empty:
            raise CheckFailed(f"the files for {self.where} hold no rows; --allow-empty lets replace empty the table")

    def hold(self) -> None:
        """Keep other loads of this table waiting until the transaction ends."""
        self.target.execute(f"SET LOCAL lock_timeout = '{self.parameters.lock_timeout}s'", "set lock_timeout")
        number = int.from_bytes(hashlib.sha256(f"ductrunner {self.table}".encode()).digest()[:8], signed=True)
        self.target.execute(f"SELECT pg_advisory_xact_lock({number})", "wait for another load of the table")

    def keep_writers_out(self) -> None:
        """Let others read the table and not change it until the transaction ends."""
        self.target.execute(f"LOCK TABLE {self.table.sql} IN SHARE ROW EXCLUSIVE MODE", "lock the table")

    def commit(self) -> None:
        """Commit, unless the step was cancelled."""
        if self.context.cancelled.is_set():
            raise InterruptedError("cancelled before the commit")
        self.target.commit()

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
                self.target.rollback()
                if self.context.cancelled.is_set():
                    raise InterruptedError("cancelled before the commit") from None
        return self._once(work)

    def _once(self, work: Callable[[], dict[str, int]]) -> dict[str, int]:
        self.hold()
        try:
            counts = work()
        except Rejected as rejected:
            column = f", column {rejected.column}" if rejected.column else ""
            raise LoadRejected(f"{self.where} refused a row{column}: {rejected.reason}; nothing was changed") from None
        self.commit()
        return counts
