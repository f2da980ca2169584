"""Rows that meet those of a MySQL table by their keys: over a temporary table, in one transaction.

A temporary table is seen by its own connection only and goes with it: a killed attempt leaves nothing behind.
"""

from __future__ import annotations

from core.errors import LoadRejected, ParameterError
from steps_impl.load.products.columns import keys_of
from steps_impl.load.products.mysql_load import MySqlLoad
from steps_impl.load.products.mysql_statements import Staged
from steps_impl.load.products.winner import read_order
from stores.mysql.connection import quote_name


class Staging:
    """The rows of a load in a temporary table, each key once."""

    def __init__(self, load: MySqlLoad) -> None:
        self._load = load
        self._order = read_order(load.parameters.order_by, load.columns)
        keys = keys_of(load.parameters.keys, load.table.primary, load.columns, load.where)
        schema = quote_name(load.table.schema)
        number = next(name for name in _names("ductrunner_row") if name not in map(str.lower, load.columns))
        names = (f"{schema}.{quote_name(f'ductrunner_{part}')}" for part in ("staging", "twice", "losers"))
        staging, twice, losers = names
        self.sql = Staged(staging, load.table.sql, load.columns, keys, number, twice, losers)
        #: Rows that lost against another one with the same key.
        self.left_out = 0

    @property
    def is_unique(self) -> bool:
        """Whether the keys are a unique key of the target."""
        return self._load.table.is_unique(self.sql.keys)

    def require_unique(self) -> None:
        """Refuse keys that several rows of the target may have.

        Raises:
            ParameterError: they are no unique key.
        """
        if not self.is_unique:
            known = "; ".join(", ".join(key.columns) for key in self._load.table.keys if key.whole) or "none"
            raise ParameterError(
                f"--keys: {', '.join(self.sql.keys)} is no unique key of {self._load.where} (those are: {known}); "
                "use one of them, or --mode delete-insert"
            )

    def fill(self, *, each_key_once: bool) -> None:
        """Load the files, and choose among rows with the same key.

        Raises:
            LoadRejected: a row was refused, has NULL in its key, or comes twice where it may not.
        """
        load = self._load
        load.target.execute(self.sql.create())
        load.fill(self.sql.staging)
        nullable = not set(self.sql.keys) <= set(load.table.primary)
        if nullable and (without := self._number(self.sql.count_without_key())):
            raise LoadRejected(f"{without} rows for {load.where} have NULL in the key {', '.join(self.sql.keys)}")
        if each_key_once:
            self._choose()

    def _choose(self) -> None:
        load = self._load
        load.context.reporter.progress("choose", rows=load.feed.count)
        load.target.execute(self.sql.find_twice())
        keys, too_many = (int(str(value)) for value in load.target.rows(self.sql.count_twice())[0])
        if keys and load.parameters.duplicates == "fail":
            raise LoadRejected(f"{keys} keys come several times in the files for {load.where} ({too_many} rows more)")
        if keys:
            load.target.execute(self.sql.find_losers(self._order, last=load.parameters.duplicates == "last"))
            self.left_out = load.target.execute(self.sql.delete_losers())

    def _number(self, query: str) -> int:
        return int(str(self._load.target.rows(query)[0][0]))


def merge(load: MySqlLoad) -> dict[str, int]:
    """Do a load in one of the modes that look at keys; return what was counted.

    Raises:
        ParameterError: the table or its keys do not fit the mode.
        LoadRejected: a row was refused; nothing was changed.
    """
    mode = load.parameters.mode
    load.require_transactions()
    staging = Staging(load)
    if mode != "delete-insert":
        staging.require_unique()
    elif spreads := load.table.against_deleting():
        raise ParameterError(
            f"{load.where}: a deletion here changes rows of {', '.join(spreads)}; use --mode upsert, which deletes none"
        )
    staging.fill(each_key_once=staging.is_unique)
    load.context.reporter.progress("exchange", rows=load.feed.count)
    with load.alone():
        counts = load.in_transaction(lambda: _exchange(load, staging.sql))
    return {"left_out": staging.left_out, **counts}


def _exchange(load: MySqlLoad, sql: Staged) -> dict[str, int]:
    if load.parameters.mode == "insert-ignore":
        return {"inserted": load.target.execute(sql.insert_or_leave())}
    if load.parameters.mode == "delete-insert":
        deleted = load.target.execute(sql.delete_matching())
        return {"deleted": deleted, "inserted": load.target.execute(sql.insert())}
    if len(load.table.keys) == 1:
        return {"touched": load.target.execute(sql.insert_or_update())}
    # ON DUPLICATE KEY UPDATE would change a row that only another unique key has in common.
    update = sql.update_matching()
    updated = load.target.execute(update) if update else 0
    return {"updated": updated, "inserted": load.target.execute(sql.insert_missing())}


def _names(name: str) -> list[str]:
    return [name, *(f"{name}_{number}" for number in range(2000))]
