"""The ways into a Postgres table: each changes it in one transaction.

The table itself stays the same one in every mode, so that views, grants, foreign keys and triggers are kept.
"""

from __future__ import annotations

from core.errors import LoadRejected
from steps_impl.load.products import staging
from steps_impl.load.products.columns import keys_of
from steps_impl.load.products.postgres_load import PostgresLoad
from steps_impl.load.products.postgres_statements import STAGING, TWICE, PostgresStaged
from steps_impl.load.products.postgres_table import keep_writers_out

#: Beginnings of the names of types that are compared as numbers.
_QUICK_TO_SORT = ("smallint", "integer", "bigint", "date", "timestamp")


def merge(load: PostgresLoad) -> dict[str, int]:
    """Do a load in one of the modes that look at keys; return what was counted.

    Raises:
        ParameterError: the table or its keys do not fit the mode.
        LoadRejected: a row was refused; nothing was changed.
    """
    sql = _staged(load)
    if load.parameters.mode == "delete-insert":
        load.require_no_spreading()
    else:
        load.require_unique(sql.keys)
    left_out = _stage(load, sql, each_key_once=load.table.is_unique(sql.keys))
    rows = load.feed.count - left_out
    return {"left_out": left_out, **load.in_transaction(lambda: _exchange(load, sql, rows))}


def replace(load: PostgresLoad, by: str) -> dict[str, int | str]:
    """Exchange all rows; return what was counted.

    Args:
        load: the load.
        by: ``delete`` (readers see the former rows until the end) or ``truncate`` (readers wait until the end).

    Raises:
        ParameterError, LoadRejected, CheckFailed: as ``merge``, or no rows came; nothing was changed.
    """
    if by == "delete":
        load.require_no_spreading()
    if not load.parameters.chooses:
        load.begin()
        with load.refusals_told():
            deleted = _empty(load, by)
        load.fill(load.table.sql)
        load.require_rows()
        load.finish()
        load.commit()
        return {"by": by, **deleted, "inserted": load.feed.count}
    sql = _staged(load)
    load.require_unique(sql.keys)
    left_out = _stage(load, sql, each_key_once=True)
    load.require_rows()
    rows = load.feed.count - left_out
    counts = load.in_transaction(lambda: {**_empty(load, by), "inserted": _put_all(load, sql.insert(), rows)})
    return {"by": by, "left_out": left_out, **counts}


def _exchange(load: PostgresLoad, sql: PostgresStaged, rows: int) -> dict[str, int]:
    load.context.reporter.progress("exchange", rows=load.feed.count)
    load.hold()
    if load.parameters.mode == "delete-insert":
        deleted = load.execute(sql.delete_matching(), "delete rows with these keys")
        return {"deleted": deleted, "inserted": _put_all(load, sql.insert(), rows)}
    if load.parameters.mode == "insert-ignore":
        return {"inserted": _put(load, sql.insert_or_leave())}
    if not sql.others():  # nothing to change in rows that are there
        return {"touched": _put(load, sql.insert_or_update())}
    return {"touched": _put_all(load, sql.insert_or_update(), rows)}


def _put_all(load: PostgresLoad, statement: str, rows: int) -> int:
    """Insert or update so many rows.

    Raises:
        LoadRejected: some were left out, as a trigger may do.
    """
    touched = _put(load, statement)
    if touched != rows:
        raise LoadRejected(f"{load.where} took {touched} rows of {rows}; nothing was changed")
    return touched


def _put(load: PostgresLoad, statement: str) -> int:
    touched = load.execute(statement, "insert the rows")
    load.finish()
    return touched


def _empty(load: PostgresLoad, by: str) -> dict[str, int]:
    load.hold()
    if by == "truncate":
        load.execute(f"TRUNCATE TABLE {load.table.sql}", "empty the table")
        return {}
    keep_writers_out(load.target, load.table)
    return {"deleted": load.execute(f"DELETE FROM {load.table.sql}", "empty the table")}


def _staged(load: PostgresLoad) -> PostgresStaged:
    table = load.table
    keys = keys_of(load.parameters.keys, table.primary, load.columns, load.where)
    return PostgresStaged(
        staging=STAGING,
        twice=TWICE,
        target=table.sql,
        columns=load.columns,
        keys=keys,
        absent=tuple(column.name for column in table.columns if column.name not in load.columns),
        overrides=any(table.column(name).identity == "a" for name in load.columns),
        sorts=all(table.column(key).type.startswith(_QUICK_TO_SORT) for key in keys),
    )


def _stage(load: PostgresLoad, sql: PostgresStaged, *, each_key_once: bool) -> int:
    """Fill the temporary table, and keep it when the transaction that changes the target has to be tried again."""
    left_out = staging.fill(load, sql, each_key_once=each_key_once)
    if load.parameters.mode == "delete-insert":
        load.execute(f"ANALYZE {sql.staging}", "look at the rows")
    load.commit()
    return left_out
