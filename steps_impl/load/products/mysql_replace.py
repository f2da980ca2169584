"""All rows of a MySQL table exchanged: by another table that takes its name, or in one transaction.

A DDL statement commits by itself, so that the swap is one of its own: ``RENAME TABLE t TO old, new TO t``, which is
atomic (Reference Manual, *RENAME TABLE Statement*). A kill before it leaves the new table, a kill behind it the old
one. Both have names by which the next load of the same table knows them, and belong to a lock (``GET_LOCK``) that the
server frees when its connection ends: what is free is nobody's and is dropped.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from core.errors import DuctrunnerError, ParameterError, StatementFailed, TransactionConflict
from steps_impl.load.products import staging
from steps_impl.load.products.mysql_load import MySqlLoad, digest
from steps_impl.load.products.mysql_merge import staged
from steps_impl.load.products.mysql_statements import MySqlStaged
from stores.mysql.connection import quote_name
from stores.mysql.target import Target, literal

_NEXT = re.compile(r"\bAUTO_INCREMENT=(\d+)")


def replace(load: MySqlLoad, reconnect: Callable[[], Target], by: str) -> dict[str, int | str]:
    """Exchange all rows; return what was counted.

    Args:
        load: the load.
        reconnect: opens another connection, to tidy up when the first one is gone.
        by: ``swap``, ``delete`` or ``auto``: swap where nothing is lost by it.

    Raises:
        ParameterError: the way does not fit the table.
        CheckFailed, LoadRejected: no rows, or one that was refused; the table is as before.
        TransactionConflict: somebody else's lock was not got in time; the table is as before.
    """
    reasons = load.table.against_swapping()
    if by == "swap" and reasons:
        raise ParameterError(f"{load.where}: a swap would not keep {', '.join(reasons)}; use --replace-by delete")
    removed = remove_leftovers(load)
    deletes = by == "delete" or bool(reasons)
    counts = _by_deleting(load) if deletes else _by_swapping(load, reconnect)
    with suppress(DuctrunnerError):  # the rows are in place; what a killed load ended with meanwhile may be left over
        removed += remove_leftovers(load)
    return {"by": "delete" if deletes else "swap", "leftovers_removed": removed, **counts}


def remove_leftovers(load: MySqlLoad) -> int:
    """Drop what killed loads of this table left; return how many tables that were."""
    pattern = rf"ductrunner\\_%\\_{digest(load.table)}\\_%"
    schema = literal(load.table.schema.encode()).decode()
    found = load.target.rows(
        "SELECT table_name FROM information_schema.tables "
        f"WHERE table_schema = {schema} AND table_name LIKE '{pattern}'"
    )
    removed = 0
    for (name,) in found:
        lock = f"ductrunner_{str(name).rpartition('_')[2]}"
        if load.target.rows(f"SELECT IS_FREE_LOCK({literal(lock.encode()).decode()})")[0][0] == "1":
            load.target.execute(f"DROP TABLE IF EXISTS {quote_name(load.table.schema)}.{quote_name(str(name))}")
            removed += 1
    return removed


def _by_deleting(load: MySqlLoad) -> dict[str, int]:
    load.require_transactions()
    load.require_no_spreading()
    if load.parameters.chooses:
        sql, left_out = _staged(load)
        load.require_rows()
        with load.alone():
            return {"left_out": left_out, **load.in_transaction(lambda: _exchange(load, sql))}
    with load.alone():
        load.begin()
        with load.refusals_told():
            deleted = load.target.execute(f"DELETE FROM {load.table.sql}")
        load.fill(load.table.sql)
        load.require_rows()
        load.commit()
    return {"deleted": deleted, "inserted": load.feed.count}


def _exchange(load: MySqlLoad, sql: MySqlStaged) -> dict[str, int]:
    deleted = load.target.execute(f"DELETE FROM {load.table.sql}")
    return {"deleted": deleted, "inserted": load.target.execute(sql.insert())}


def _staged(load: MySqlLoad) -> tuple[MySqlStaged, int]:
    sql = staged(load)
    load.require_unique(sql.keys)
    return sql, staging.fill(load, sql, each_key_once=True)


def _by_swapping(load: MySqlLoad, reconnect: Callable[[], Target]) -> dict[str, int]:
    token = secrets.token_hex(6)
    schema = quote_name(load.table.schema)
    new, old = (f"{schema}.{quote_name(f'ductrunner_{kind}_{digest(load.table)}_{token}')}" for kind in ("new", "old"))
    load.target.rows(f"SELECT GET_LOCK('ductrunner_{token}', 0)")
    with _tidied_up(load, reconnect, new, old):
        before = _definition(load)
        load.target.execute(f"CREATE TABLE {new} LIKE {load.table.sql}")
        counts = _fill_new(load, new)
        load.require_rows()
        with load.alone():
            after = _definition(load)
            if _NEXT.sub("", before) != _NEXT.sub("", after):
                raise TransactionConflict(f"{load.where}: somebody altered it during the load; try again")
            if found := _NEXT.search(after):  # numbers that were given once are not given again
                load.target.execute(f"ALTER TABLE {new} AUTO_INCREMENT = {found[1]}")
            load.stop_when_cancelled()
            load.target.execute(f"RENAME TABLE {load.table.sql} TO {old}, {new} TO {load.table.sql}")
            _drop_old(load, new, old)
    return counts


def _fill_new(load: MySqlLoad, new: str) -> dict[str, int]:
    if load.parameters.chooses:
        sql, left_out = _staged(load)
        inserted = load.in_transaction(lambda: {"inserted": load.target.execute(sql.insert_into(new))})
        return {"left_out": left_out, **inserted}
    load.begin()
    load.fill(new)
    load.commit()
    return {"inserted": load.feed.count}


def _drop_old(load: MySqlLoad, new: str, old: str) -> None:
    """Drop the old table; if a foreign key that this user may not see refers to it, take everything back."""
    try:
        load.target.execute(f"DROP TABLE {old}")
    except StatementFailed as failed:
        load.target.execute(f"RENAME TABLE {load.table.sql} TO {new}, {old} TO {load.table.sql}")
        raise ParameterError(f"{failed}; the swap was taken back: use --replace-by delete") from None


def _definition(load: MySqlLoad) -> str:
    return str(load.target.rows(f"SHOW CREATE TABLE {load.table.sql}")[0][1])


@contextmanager
def _tidied_up(load: MySqlLoad, reconnect: Callable[[], Target], new: str, old: str) -> Iterator[None]:
    """Drop what is left over after a failure; where that cannot be, the next load does."""
    try:
        yield
    except BaseException:
        load.target.close()
        with suppress(DuctrunnerError), reconnect() as other:  # the failure itself is what is told
            other.execute("SET SESSION lock_wait_timeout = 10")
            other.execute(f"DROP TABLE IF EXISTS {new}, {old}")
        raise
