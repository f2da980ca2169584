"""The ways into a Postgres table: each changes it in one transaction.

A temporary table is seen by its own connection only and goes with it: a killed attempt leaves nothing behind. The table
itself stays the same one in every mode, so that views, grants, foreign keys and triggers are kept.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import LoadRejected, ParameterError
from steps_impl.load.products.columns import keys_of
from steps_impl.load.products.postgres_load import PostgresLoad
from steps_impl.load.products.postgres_statements import STAGING, Staged
from steps_impl.load.products.sequences import advance
from steps_impl.load.products.winner import Term, read_order

#: Of the server, while keys that come twice are looked for.
_MEMORY = "64MB"


def merge(load: PostgresLoad) -> dict[str, int]:
    """Do a load in one of the modes that look at keys; return what was counted.

    Raises:
        ParameterError: the table or its keys do not fit the mode.
        LoadRejected: a row was refused; nothing was changed.
    """
    sql = _staged(load)
    unique = load.table.is_unique(sql.keys)
    if load.parameters.mode == "delete-insert":
        _require_no_spreading(load)
    elif not unique:
        _refuse_keys(load, sql)
    left_out = _stage(load, sql, each_key_once=unique)
    return {"left_out": left_out, **load.in_transaction(lambda: _exchange(load, sql))}


def replace(load: PostgresLoad, by: str) -> dict[str, int | str]:
    """Exchange all rows; return what was counted.

    Args:
        load: the load.
        by: ``delete`` (readers see the former rows until the end) or ``truncate`` (readers wait until the end).

    Raises:
        ParameterError, LoadRejected, CheckFailed: as ``merge``, or no rows came; nothing was changed.
    """
    if by == "delete":
        _require_no_spreading(load)
    if not load.parameters.chooses:
        load.hold()
        deleted = _empty(load, by)
        load.fill(load.table.sql)
        load.require_rows()
        advance(load)
        load.commit()
        return {"by": by, **deleted, "inserted": load.feed.count}
    sql = _staged(load)
    if not load.table.is_unique(sql.keys):
        _refuse_keys(load, sql)
    left_out = _stage(load, sql, each_key_once=True)
    load.require_rows()

    def exchange() -> dict[str, int]:
        return {**_empty(load, by), "inserted": _insert(load, sql)}

    return {"by": by, "left_out": left_out, **load.in_transaction(exchange)}


def _exchange(load: PostgresLoad, sql: Staged) -> dict[str, int]:
    load.context.reporter.progress("exchange", rows=load.feed.count)
    if load.parameters.mode == "delete-insert":
        deleted = load.target.execute(sql.delete_matching(), "delete rows with these keys")
        return {"deleted": deleted, "inserted": _insert(load, sql)}
    ignoring = load.parameters.mode == "insert-ignore"
    statement = sql.insert_or_leave() if ignoring else sql.insert_or_update()
    touched = load.target.execute(statement, "insert the rows")
    advance(load)
    return {"inserted" if ignoring else "touched": touched}


def _insert(load: PostgresLoad, sql: Staged) -> int:
    inserted = load.target.execute(sql.insert(), "insert the rows")
    advance(load)
    return inserted


def _empty(load: PostgresLoad, by: str) -> dict[str, int]:
    if by == "truncate":
        load.target.execute(f"TRUNCATE TABLE {load.table.sql}", "empty the table")
        return {}
    load.keep_writers_out()
    return {"deleted": load.target.execute(f"DELETE FROM {load.table.sql}", "empty the table")}


def _staged(load: PostgresLoad) -> Staged:
    table = load.table
    return Staged(
        target=table.sql,
        columns=load.columns,
        keys=keys_of(load.parameters.keys, table.primary, load.columns, load.where),
        others=tuple(column.name for column in table.columns if column.name not in load.columns),
        overrides=any(table.column(name).identity == "a" for name in load.columns),
    )


def _stage(load: PostgresLoad, sql: Staged, *, each_key_once: bool) -> int:
    """Fill the temporary table; return how many rows lost against others with the same key."""
    order = read_order(load.parameters.order_by, load.columns)
    for statement in sql.create():
        load.target.execute(statement, "make a temporary table")
    load.fill(STAGING)
    if not set(sql.keys) <= set(load.table.primary):
        _refuse_missing_keys(load, sql)
    left_out = _choose(load, sql, order) if each_key_once else 0
    if load.parameters.mode == "delete-insert":
        load.target.execute(f"ANALYZE {STAGING}", "look at the rows")
    load.commit()
    return left_out


def _refuse_missing_keys(load: PostgresLoad, sql: Staged) -> None:
    [(without,)] = load.target.rows(sql.count_without_key())
    if without:
        raise LoadRejected(f"{without} rows for {load.where} have NULL in the key {', '.join(sql.keys)}")


def _choose(load: PostgresLoad, sql: Staged, order: Sequence[Term]) -> int:
    """Take away rows that lose against others with the same key; return how many those are."""
    load.context.reporter.progress("choose", rows=load.feed.count)
    load.target.execute(f"SET LOCAL work_mem = '{_MEMORY}'", "set work_mem")
    load.target.execute(sql.find_twice(), "look for keys that come twice")
    [(keys, too_many)] = load.target.rows(sql.count_twice())
    if keys and load.parameters.duplicates == "fail":
        raise LoadRejected(f"{keys} keys come several times in the files for {load.where} ({too_many} rows more)")
    last = load.parameters.duplicates == "last"
    return load.target.execute(sql.delete_losers(order, last=last), "choose among rows with one key") if keys else 0


def _require_no_spreading(load: PostgresLoad) -> None:
    if load.table.spreads:
        raise ParameterError(
            f"{load.where}: a deletion here changes rows of {', '.join(load.table.spreads)}; use --mode upsert, which "
            "deletes none"
        )


def _refuse_keys(load: PostgresLoad, sql: Staged) -> None:
    known = "; ".join(", ".join(key) for key in load.table.keys) or "none"
    raise ParameterError(
        f"--keys: {', '.join(sql.keys)} is no unique key of {load.where} (those are: {known}); use one of them, or "
        "--mode delete-insert"
    )
