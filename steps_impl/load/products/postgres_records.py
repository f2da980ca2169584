"""The table of loads that are done, in Postgres."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import TransactionConflict
from steps_impl.activities.copying.relations import split_name
from steps_impl.load.products.append import Records
from steps_impl.load.products.identity import LoadName
from steps_impl.load.products.postgres_load import PostgresLoad
from stores.postgres import quote_name

_CREATE = """CREATE TABLE IF NOT EXISTS {records} (load_digest CHAR(64) PRIMARY KEY, load_name VARCHAR(200) NOT NULL,
table_name VARCHAR(200) NOT NULL, row_count BIGINT NOT NULL, loaded_at TIMESTAMPTZ NOT NULL DEFAULT now())"""
_CLAIM = """INSERT INTO {records} (load_digest, load_name, table_name, row_count) VALUES (%s, %s, %s, 0)
ON CONFLICT (load_digest) DO NOTHING"""
_DOING = "write the record of the load"


@dataclass(frozen=True)
class PostgresRecords(Records):
    """The records beside the target of a load."""

    load: PostgresLoad

    def make(self) -> None:
        """Make the table; somebody may do so at the same moment."""
        target, table = self.load.target, self._table()
        if target.rows("SELECT to_regclass(%s)", (table,))[0][0] is not None:
            return
        try:
            target.execute(_CREATE.format(records=table), f"create {table}, which keeps what is loaded")
            target.commit()
        except TransactionConflict:
            target.rollback()

    def claim(self, name: LoadName) -> bool:
        """Insert the record; the server waits for whoever has inserted it and not committed."""
        values = (name.digest, name.text, str(self.load.table)[:200])
        return bool(self.load.target.execute(_CLAIM.format(records=self._table()), _DOING, values))

    def complete(self, name: LoadName) -> None:
        """Write the number of rows into the record."""
        counted = f"UPDATE {self._table()} SET row_count = %s WHERE load_digest = %s"
        self.load.target.execute(counted, _DOING, (self.load.feed.count, name.digest))

    def _table(self) -> str:
        schema, table = split_name(self.load.parameters.load_records)
        return f"{quote_name(schema or self.load.table.schema)}.{quote_name(table)}"
