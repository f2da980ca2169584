"""One load: the data into a temporary table first, then everything that touches the target as one transaction.

The staging table is the session's own, so it is filled before the target is locked and readers wait for the exchange
alone. A target that is missing is made in the transaction too, and with it the staging table, which is made like it.
Whatever fails or dies leaves the target as it was; whatever is tried again begins from the start.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.errors import NotFound, SchemaMismatch, TransactionConflict
from steps_impl.activities.redshift_copy import statements
from steps_impl.activities.redshift_copy.exchange import MERGING, InsertMode, exchange
from steps_impl.activities.redshift_copy.records import Attempt, LoadRecords
from steps_impl.activities.redshift_copy.staging import Arrived, Fill
from steps_impl.activities.redshift_copy.target import Target, create, look_up, merge_keys
from steps_impl.activities.redshift_copy.warehouse import Warehouse
from steps_impl.load.staging import staging_name
from steps_impl.tables.model import TableName
from steps_impl.warehouse.statements import lock
from stores.redshift import Session


@dataclass(frozen=True)
class Load:
    """What one activity or step loads, and how."""

    name: TableName
    mode: InsertMode
    fill: Fill
    warehouse: Warehouse
    #: Columns that rows are matched by; none: those of the table.
    keys: tuple[str, ...] = ()
    transform_sql: str | None = None
    #: Makes a missing table.
    create_table_sql: str | None = None
    #: By whom, and what tells what became of an earlier attempt: keeps an APPEND from being done twice.
    attempt: Attempt | None = None
    status: Callable[[str], str] | None = None
    #: Looks at the table before anything is loaded, and may change it.
    prepare: Callable[[Session, TableName], None] | None = None
    #: Looks, before the commit, at the target and at the table whose rows went into it; what it raises undoes the load.
    check: Callable[[Session, TableName, Arrived], None] | None = None
    #: Columns that the warehouse fills although they would take values.
    filled_there: Callable[[], tuple[str, ...]] = tuple

    def run(self) -> dict[str, Any]:
        """Do it, again on a serialization failure; return what was done, for the result."""
        return self.warehouse.run(self._once)

    def _once(self, session: Session) -> dict[str, Any]:
        name = self.name
        if self.prepare:
            self.prepare(session, name)
        target = self._look_up(session)
        records = self._records(name)
        if target is None:
            return self._into_new_table(session, name, records)
        if records:
            records.prepare()
        self._progress("copy")
        arrived = self.fill(session, target)
        with session.transaction():
            session.execute(lock(name))
            if self._look_up(session) != target:
                raise TransactionConflict(f"{name} was changed while the data was loaded; run the step again")
            if records and (attempt := records.done_by()):
                records.add(session, 0)  # whoever comes next asks what became of this one
                return {**self._told(target, arrived), "deleted": 0, "inserted": 0, "already_loaded_by": attempt}
            return self._exchange(session, target, arrived, records)

    def _look_up(self, session: Session) -> Target | None:
        found = look_up(session, self.name)
        return found.without(self.filled_there()) if found else None

    def _into_new_table(self, session: Session, name: TableName, records: LoadRecords | None) -> dict[str, Any]:
        """Make the table and load it; whatever was loaded into a former one is gone with that."""
        if not self.create_table_sql:
            raise NotFound(f"there is no table {name} in {session.where}; create it, or say how (createTableSql)")
        with session.transaction():
            target = create(session, self.warehouse.open, name, self.create_table_sql)
            if records:
                records.prepare()
            self._progress("copy")
            done = self._exchange(session, target, self.fill(session, target), records)
        return {**done, "created": True}

    def _told(self, target: Target, arrived: Arrived) -> dict[str, Any]:
        told = {"table": str(target.name), "mode": self.mode, "staged": arrived.rows, "rejected": arrived.rejected}
        return told if arrived.replaced is None else {**told, "replaced_characters": arrived.replaced}

    def _exchange(
        self, session: Session, target: Target, arrived: Arrived, records: LoadRecords | None
    ) -> dict[str, Any]:
        """Put the staged rows in place; the transaction is open and nobody else writes to the target."""
        self._progress("exchange", rows=arrived.rows)
        incoming = self._transformed(session, target)
        done = exchange(session, target, incoming, self.mode, self._keys(session, target))
        if self.check:
            self.check(session, incoming, arrived)
        if records:
            records.add(session, done.inserted)
        return {**self._told(target, arrived), **done.details}

    def _transformed(self, session: Session, target: Target) -> TableName:
        """Return the table whose rows go into the target: ``staging``, or a second one that transformSql fills.

        Raises:
            SchemaMismatch: the rows of transformSql do not have the target's columns in their order.
        """
        if not self.transform_sql:
            return statements.STAGING
        found = session.columns(statements.transformed_names(self.transform_sql))
        named_otherwise = sorted(found) == sorted(target.columns) and found != target.columns
        if len(found) != len(target.columns) or named_otherwise:
            given, wanted = ", ".join(found), ", ".join(target.columns)
            raise SchemaMismatch(
                f"transformSql gives the columns {given}; {target.name} has {wanted}: give the same in the same order"
            )
        second = staging_name()
        for statement in statements.create_staging(target, second):
            session.execute(statement)
        session.execute(statements.transform(self.transform_sql, second, target.columns))
        return second

    def _keys(self, session: Session, target: Target) -> tuple[str, ...]:
        if self.mode not in MERGING:
            return ()
        settings = self.warehouse.settings
        return merge_keys(session, target, self.keys, settings.merge_keys, settings.merge_without_keys)

    def _records(self, target: TableName) -> LoadRecords | None:
        stated = self.warehouse.settings.load_records.strip().lower()
        if self.mode != "APPEND" or self.attempt is None or self.status is None or stated == "off":
            return None
        schema, _, name = stated.rpartition(".")
        table = TableName(name, schema or target.schema)
        return LoadRecords(table, self.attempt, target, self.status, self.warehouse.open)

    def _progress(self, phase: str, rows: int | None = None) -> None:
        self.warehouse.context.reporter.progress(phase, rows=rows)
