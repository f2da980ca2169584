"""The table of loads that are done, in MySQL."""

from __future__ import annotations

from dataclasses import dataclass

from steps_impl.load.products.append import Records
from steps_impl.load.products.identity import LoadName
from steps_impl.load.products.mysql_load import MySqlLoad
from stores.mysql.connection import quote_name, split_table
from stores.mysql.target import literal
from stores.rejections import Rejected

_CREATE = """CREATE TABLE IF NOT EXISTS {records} (load_digest CHAR(64) CHARACTER SET ascii NOT NULL PRIMARY KEY,
load_name VARCHAR(200) CHARACTER SET utf8mb4 NOT NULL, table_name VARCHAR(200) CHARACTER SET utf8mb4 NOT NULL,
row_count BIGINT NOT NULL, loaded_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP) ENGINE=InnoDB"""
_DUPLICATE = "its key is there already"


@dataclass(frozen=True)
class MySqlRecords(Records):
    """The records beside the target of a load."""

    load: MySqlLoad

    def make(self) -> None:
        """Make the table; the statement commits by itself.

        Raises:
            ParameterError: the target has no transactions.
        """
        self.load.require_transactions()
        self.load.target.execute(_CREATE.format(records=self._table()))

    def claim(self, name: LoadName) -> bool:
        """Insert the record; the server waits for whoever has inserted it and not committed."""
        values = b", ".join(literal(text.encode()) for text in (name.digest, name.text, str(self.load.table)[:200]))
        columns = "load_digest, load_name, table_name, row_count"
        try:
            self.load.target.execute(f"INSERT INTO {self._table()} ({columns}) VALUES ({values.decode()}, 0)")
        except Rejected as rejected:
            if rejected.reason != _DUPLICATE:
                raise self.load.feed.refusal(rejected, self.load.where) from None
            return False
        return True

    def complete(self, name: LoadName) -> None:
        """Write the number of rows into the record."""
        digest = literal(name.digest.encode()).decode()
        self.load.target.execute(
            f"UPDATE {self._table()} SET row_count = {self.load.feed.count} WHERE load_digest = {digest}"
        )

    def _table(self) -> str:
        database, table = split_table(self.load.parameters.load_records)
        return f"{quote_name(database or self.load.table.schema)}.{quote_name(table)}"
