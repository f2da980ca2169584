"""A load over a connection to MySQL."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from core.errors import ParameterError, TransactionConflict
from steps_impl.activities.copying.mysql_bulk import Into, load_all
from steps_impl.load.products.load import Load
from steps_impl.load.products.mysql_table import MySqlTable
from steps_impl.load.products.statements import Staged
from stores.mysql.target import Target
from stores.rejections import Rejected


@dataclass(frozen=True)
class MySqlLoad(Load[MySqlTable]):
    """One load."""

    target: Target

    @property
    def where(self) -> str:
        """Server and table, for messages."""
        return f"{self.target.where}, table {self.table}"

    def execute(self, statement: str, doing: str) -> int:  # noqa: ARG002 - MySQL's messages say where they arose
        """Run a statement and return the number of rows that it touched."""
        return self.target.execute(statement)

    def numbers(self, query: str) -> list[int]:
        """Return the one row of a query."""
        return [int(str(number)) for number in self.target.rows(query)[0]]

    def begin(self) -> None:
        """Begin a transaction; the connection knows how long to wait."""
        self.target.begin()

    def rollback(self) -> None:
        """Undo everything since ``begin``."""
        self.target.execute("ROLLBACK")

    def make_visible(self) -> None:
        """Commit."""
        self.target.commit()

    def fill(self, table: str) -> None:
        """Load all rows into a table."""
        self._load(self.into(table))

    def stage(self, sql: Staged) -> None:
        """Load all rows into the staging table."""
        self._load(self.into(sql.staging, replaces=sql.keeps_last))

    def into(self, table: str, *, replaces: bool = False) -> Into:
        """Return where a bulk load goes; ``table`` is quoted and has the target's columns."""
        return Into(table, tuple(self.table.columns[name.lower()] for name in self.columns), replaces)

    def _load(self, into: Into) -> None:
        try:
            load_all(self.target, into, self.feed, self.rows)
        except Rejected as rejected:
            raise self.feed.refusal(rejected, self.where) from None

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
