"""A load over a connection to Postgres."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from core.errors import LoadRejected
from steps_impl.activities.copying.feed import binary_treatment
from steps_impl.load.products.load import Load
from steps_impl.load.products.postgres_statements import copy_in
from steps_impl.load.products.postgres_table import PostgresTable
from steps_impl.load.products.sequences import advance
from steps_impl.load.products.statements import Staged
from stores.postgres_target import Target
from stores.rejections import Rejected


@dataclass(frozen=True)
class PostgresLoad(Load[PostgresTable]):
    """One load."""

    target: Target

    @property
    def where(self) -> str:
        """Server and table, for messages."""
        return f"{self.target.where}, table {self.table}"

    def execute(self, statement: str, doing: str) -> int:
        """Run a statement and return the number of rows that it touched."""
        return self.target.execute(statement, doing)

    def numbers(self, query: str) -> list[int]:
        """Return the one row of a query."""
        return [int(number) for number in self.target.rows(query)[0]]

    def begin(self) -> None:
        """Say how long the transaction, which psycopg2 begins, waits for locks."""
        self.target.execute(f"SET LOCAL lock_timeout = '{self.parameters.lock_timeout}s'", "set lock_timeout")

    def rollback(self) -> None:
        """Undo everything since the last commit."""
        self.target.rollback()

    def make_visible(self) -> None:
        """Commit."""
        self.target.commit()

    def fill(self, table: str) -> None:
        """Copy all rows into a table."""
        self._copy(copy_in(table, self.columns))

    def stage(self, sql: Staged) -> None:
        """Copy all rows into the staging table, which this transaction has made.

        Frozen rows are never looked up, nor written again with what was found (Postgres, *COPY*, FREEZE).
        """
        self._copy(f"{copy_in(sql.staging, self.columns)} WITH (FREEZE)")

    def _copy(self, statement: str) -> None:
        places = frozenset(n for n, name in enumerate(self.columns) if self.table.column(name).type == "bytea")
        self.feed.treat = binary_treatment(self.rows, places, self.columns, b"\\x")
        try:
            taken = self.target.copy_in(statement, (chunk.text for chunk in self.feed.chunks()))
        except Rejected as rejected:
            raise self.feed.refusal(rejected, self.where) from None
        if taken != self.feed.count:  # a trigger may leave rows out
            raise LoadRejected(f"{self.where} took {taken} rows of {self.feed.count}; nothing was changed")

    def finish(self) -> None:
        """Set the sequences of the loaded columns forward."""
        advance(self.target, self.table, self.columns)

    def hold(self) -> None:
        """Keep other loads of this table waiting until the transaction ends."""
        number = int.from_bytes(hashlib.sha256(f"ductrunner {self.table}".encode()).digest()[:8], signed=True)
        self.target.execute(f"SELECT pg_advisory_xact_lock({number})", "wait for another load of the table")
