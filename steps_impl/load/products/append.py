"""Rows added to a table, once per load: a record of the load is written in the same transaction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from steps_impl.load.products.identity import LoadName
from steps_impl.load.products.load import Load


class Records(ABC):
    """The table, beside the target, that keeps which loads are done."""

    @abstractmethod
    def make(self) -> None:
        """Make it if it is not there; outside of a transaction."""

    @abstractmethod
    def claim(self, name: LoadName) -> bool:
        """Write that a load is done; tell whether it was not so before.

        Another attempt that is at it is waited for: it holds the record's key until it ends.

        Raises:
            TransactionConflict: it did not end in time.
        """

    @abstractmethod
    def complete(self, name: LoadName) -> None:
        """Write how many rows were loaded."""


def append(load: Load[Any], records: Records, name: LoadName) -> dict[str, int]:
    """Add the rows, unless this load is done already.

    Raises:
        LoadRejected: a row was refused; nothing was added.
        TransactionConflict: another attempt did not end in time.
    """
    records.make()
    load.begin()
    if not records.claim(name):
        load.rollback()
        return {"inserted": 0, "already_loaded": 1}
    load.fill(load.table.sql)
    records.complete(name)
    load.finish()
    load.commit()
    return {"inserted": load.feed.count, "already_loaded": 0}
