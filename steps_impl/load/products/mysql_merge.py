"""Rows that meet those of a MySQL table by their keys: over a temporary table, in one transaction."""

from __future__ import annotations

from steps_impl.activities.copying.mysql_bulk import may_load
from steps_impl.load.products import staging
from steps_impl.load.products.columns import keys_of
from steps_impl.load.products.mysql_load import MySqlLoad
from steps_impl.load.products.mysql_statements import MySqlStaged
from stores.mysql.connection import quote_name


def merge(load: MySqlLoad) -> dict[str, int]:
    """Do a load in one of the modes that look at keys; return what was counted.

    Raises:
        ParameterError: the table or its keys do not fit the mode.
        LoadRejected: a row was refused; nothing was changed.
    """
    load.require_transactions()
    sql = staged(load)
    if load.parameters.mode == "delete-insert":
        load.require_no_spreading()
    else:
        load.require_unique(sql.keys)
    left_out = staging.fill(load, sql, each_key_once=load.table.is_unique(sql.keys))
    load.context.reporter.progress("exchange", rows=load.feed.count)
    with load.alone():
        counts = load.in_transaction(lambda: _exchange(load, sql))
    return {"left_out": left_out, **counts}


def staged(load: MySqlLoad) -> MySqlStaged:
    """Return the temporary tables for a load.

    Raises:
        ParameterError: nothing says what identifies a row.
    """
    keys = keys_of(load.parameters.keys, load.table.primary, load.columns, load.where)
    schema = quote_name(load.table.schema)
    rows, twice, losers = (f"{schema}.{quote_name(f'ductrunner_{part}')}" for part in ("staging", "twice", "losers"))
    number = None if _keeps_last(load, keys) else _free_name(load.columns)
    return MySqlStaged(rows, twice, load.table.sql, load.columns, keys, losers, number)


def _keeps_last(load: MySqlLoad, keys: tuple[str, ...]) -> bool:
    """Tell whether rows can replace those before them while they are loaded: it costs less than to look afterwards."""
    last = load.parameters.duplicates == "last" and load.parameters.order_by is None
    fits = load.table.is_unique(keys) and load.table.takes_any_order(load.columns)
    return last and fits and may_load(load.target)


def _free_name(columns: tuple[str, ...]) -> str:
    taken = {name.lower() for name in columns}
    names = ["ductrunner_row", *(f"ductrunner_row_{number}" for number in range(len(columns)))]
    return next(name for name in names if name not in taken)


def _exchange(load: MySqlLoad, sql: MySqlStaged) -> dict[str, int]:
    if load.parameters.mode == "insert-ignore":
        return {"inserted": load.target.execute(sql.insert_or_leave())}
    if load.parameters.mode == "delete-insert":
        deleted = load.target.execute(sql.delete_matching())
        return {"deleted": deleted, "inserted": load.target.execute(sql.insert())}
    if load.table.keys == 1:
        return {"touched": load.target.execute(sql.insert_or_update())}
    # ON DUPLICATE KEY UPDATE would change a row that only another unique key has in common.
    update = sql.update_matching()
    updated = load.target.execute(update) if update else 0
    return {"updated": updated, "inserted": load.target.execute(sql.insert_missing())}
