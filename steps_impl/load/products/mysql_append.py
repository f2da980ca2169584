"""Rows added to a MySQL table, once per load: a record of the load is written in the same transaction."""

from __future__ import annotations

from steps_impl.load.products.identity import LoadName
from steps_impl.load.products.mysql_load import MySqlLoad
from stores.mysql.connection import quote_name, split_table
from stores.mysql.target import literal
from stores.rejections import Rejected

_CREATE = """CREATE TABLE IF NOT EXISTS {records} (load_digest CHAR(64) CHARACTER SET ascii NOT NULL PRIMARY KEY,
load_name VARCHAR(200) CHARACTER SET utf8mb4 NOT NULL, table_name VARCHAR(200) CHARACTER SET utf8mb4 NOT NULL,
row_count BIGINT NOT NULL, loaded_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP) ENGINE=InnoDB"""
_DUPLICATE = "its key is there already"


def append(load: MySqlLoad, name: LoadName) -> dict[str, int]:
    """Add the rows, unless this load is done already.

    Another attempt that is at it is waited for: it holds the record's key until it ends.

    Raises:
        LoadRejected: a row was refused; nothing was added.
        TransactionConflict: the other attempt did not end in time.
    """
    load.require_transactions()
    records = _records_table(load)
    load.target.execute(_CREATE.format(records=records))  # commits; so it goes before the transaction
    load.target.begin()
    if not _claim(load, records, name):
        load.target.execute("ROLLBACK")
        return {"inserted": 0, "already_loaded": 1}
    load.fill(load.table.sql)
    digest = literal(name.digest.encode()).decode()
    load.target.execute(f"UPDATE {records} SET row_count = {load.feed.count} WHERE load_digest = {digest}")
    load.stop_when_cancelled()
    load.target.commit()
    return {"inserted": load.feed.count, "already_loaded": 0}


def _claim(load: MySqlLoad, records: str, name: LoadName) -> bool:
    values = b", ".join(literal(text.encode()) for text in (name.digest, name.text, str(load.table)[:200]))
    statement = f"INSERT INTO {records} (load_digest, load_name, table_name, row_count) VALUES ({values.decode()}, 0)"
    try:
        load.target.execute(statement)
    except Rejected as rejected:
        if rejected.reason != _DUPLICATE:
            raise load.feed.refusal(rejected, load.where) from None
        return False
    return True


def _records_table(load: MySqlLoad) -> str:
    database, table = split_table(load.parameters.load_records)
    return f"{quote_name(database or load.table.schema)}.{quote_name(table)}"
