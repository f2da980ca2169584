"""Rows added to a Postgres table, once per load: a record of the load is written in the same transaction."""

from __future__ import annotations

from core.errors import TransactionConflict
from steps_impl.activities.copying.tables import split_name
from steps_impl.load.products.identity import LoadName
from steps_impl.load.products.postgres_load import PostgresLoad
from steps_impl.load.products.sequences import advance
from stores.postgres import quote_name

_CREATE = """CREATE TABLE IF NOT EXISTS {records} (load_digest CHAR(64) PRIMARY KEY, load_name VARCHAR(200) NOT NULL,
table_name VARCHAR(200) NOT NULL, row_count BIGINT NOT NULL, loaded_at TIMESTAMPTZ NOT NULL DEFAULT now())"""
_CLAIM = """INSERT INTO {records} (load_digest, load_name, table_name, row_count) VALUES (%s, %s, %s, 0)
ON CONFLICT (load_digest) DO NOTHING"""


def append(load: PostgresLoad, name: LoadName) -> dict[str, int]:
    """Add the rows, unless this load is done already.

    Another attempt that is at it is waited for: it holds the record's key until it ends.

    Raises:
        LoadRejected: a row was refused; nothing was added.
        TransactionConflict: the other attempt did not end in time.
    """
    records = _records_table(load)
    _prepare(load, records)
    load.target.execute(f"SET LOCAL lock_timeout = '{load.parameters.lock_timeout}s'", "set lock_timeout")
    values = (name.digest, name.text, str(load.table)[:200])
    if not load.target.execute(_CLAIM.format(records=records), "write the record of the load", values):
        load.target.rollback()
        return {"inserted": 0, "already_loaded": 1}
    load.fill(load.table.sql)
    counted = f"UPDATE {records} SET row_count = %s WHERE load_digest = %s"
    load.target.execute(counted, "write the record of the load", (load.feed.count, name.digest))
    advance(load)
    load.commit()
    return {"inserted": load.feed.count, "already_loaded": 0}


def _prepare(load: PostgresLoad, records: str) -> None:
    """Make the table of records if it is not there; somebody may do so at the same moment."""
    if load.target.rows("SELECT to_regclass(%s)", (records,))[0][0] is not None:
        return
    try:
        load.target.execute(_CREATE.format(records=records), f"create {records}, which keeps what is loaded")
        load.target.commit()
    except TransactionConflict:
        load.target.rollback()


def _records_table(load: PostgresLoad) -> str:
    schema, table = split_name(load.parameters.load_records)
    return f"{quote_name(schema or load.table.schema)}.{quote_name(table)}"
