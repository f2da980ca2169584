"""The rows of a load in a temporary table, before they meet those of the target.

A temporary table is seen by its own connection only and goes with it: a killed attempt leaves nothing behind.
"""

from __future__ import annotations

from typing import Any

from core.errors import LoadRejected
from steps_impl.load.products.load import Load
from steps_impl.load.products.statements import Staged
from steps_impl.load.products.winner import Term, read_order


def fill(load: Load[Any], sql: Staged, *, each_key_once: bool) -> int:
    """Load the files and choose among rows with the same key; return how many rows lost.

    Raises:
        LoadRejected: a row was refused, has NULL in its key, or comes twice where it may not.
    """
    order = read_order(load.parameters.order_by, load.columns)
    for statement in sql.create():
        load.execute(statement, "make a temporary table")
    load.stage(sql)
    if not set(sql.keys) <= set(load.table.primary):
        _refuse_missing_keys(load, sql)
    if not each_key_once:
        return 0
    return load.feed.count - load.numbers(sql.count())[0] if sql.keeps_last else _choose(load, sql, order)


def _refuse_missing_keys(load: Load[Any], sql: Staged) -> None:
    [without] = load.numbers(sql.count_without_key())
    if without:
        raise LoadRejected(f"{without} rows for {load.where} have NULL in the key {', '.join(sql.keys)}")


def _choose(load: Load[Any], sql: Staged, order: tuple[Term, ...]) -> int:
    load.context.reporter.progress("choose", rows=load.feed.count)
    for statement in sql.find_twice():
        load.execute(statement, "look for keys that come twice")
    keys, too_many = load.numbers(sql.count_twice())
    if keys and load.parameters.duplicates == "fail":
        raise LoadRejected(f"{keys} keys come several times in the files for {load.where} ({too_many} rows more)")
    lost = 0
    for statement in sql.delete_losers(order, last=load.parameters.duplicates == "last") if keys else ():
        lost = load.execute(statement, "choose among rows with one key")
    return lost
