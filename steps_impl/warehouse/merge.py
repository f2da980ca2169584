"""One upsert: everything between BEGIN and COMMIT."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from core.settings import Settings
from steps_impl.contract import Reporter
from steps_impl.load.counts import demand
from steps_impl.load.staging import create_staging, drop_staging, dropped_at_the_end, staging_name
from steps_impl.quality.report import CheckReport
from steps_impl.tables.model import Table, TableName
from steps_impl.warehouse import statements
from steps_impl.warehouse.checks import check_not_emptied, check_null_keys, key_check, row_count_check
from steps_impl.warehouse.exchange import exchange
from steps_impl.warehouse.plan import Check, MergeCounts, MergePlan
from steps_impl.warehouse.recording import record
from steps_impl.warehouse.sources import Fill
from steps_impl.warehouse.target import settle, take_hold_of_all
from stores.redshift import Session


@dataclass
class Merge:
    """One attempt; made anew when the transaction is tried again."""

    plan: MergePlan
    settings: Settings
    reporter: Reporter
    fill: Fill
    checks: Sequence[Check] = ()
    counts: MergeCounts = field(default_factory=MergeCounts)
    reports: list[CheckReport] = field(default_factory=list)
    created: bool = False
    #: What was changed of a table that was not as defined, in words.
    altered: tuple[str, ...] = ()
    _staging_tables: list[TableName] = field(default_factory=list)

    def run(self, session: Session) -> None:
        """Do the whole upsert as one transaction that locks the target first.

        With ``stage_first`` the rows are staged before it, so that readers wait for the exchange only.

        Raises:
            CheckFailed: a check failed; nothing is changed.
            SchemaMismatch: the target or its history is not as defined.
            TransactionConflict: another writer came first; try again on a new session.
            LoadRejected, StoreError, InterruptedError: nothing is changed.
        """
        found = {table: settle(session, table, self.plan.on_drift) for table in self.plan.tables}
        self.altered = tuple(change for settled in found.values() for change in settled.altered)
        there = {table: settled.exists for table, settled in found.items()}
        if self.plan.stage_first:
            with ExitStack() as temporary:
                staging = self._prepare(session, temporary, exists=there[self.plan.table])
                with session.transaction():
                    self._take(session, there)
                    self._change(session, staging)
            return
        with session.transaction():
            self._take(session, there)
            self.replace_rows(session)

    def replace_rows(self, session: Session) -> None:
        """Do everything that belongs to the transaction once it holds the target. Raises as ``run`` does."""
        if self.plan.straight:
            self._fill_target(session)
            self._conclude(session, self.plan.table.name)
        else:
            self._change(session, self._prepare(session, None, exists=True))
        for name in self._staging_tables:
            session.execute(drop_staging(name))

    def _take(self, session: Session, there: dict[Table, bool]) -> None:
        self.created = take_hold_of_all(session, there, self.settings, self.plan.on_drift)[0]

    def _fill_target(self, session: Session) -> None:
        """Empty the target and fill it, which spares each row being written and read once more.

        Where a key comes twice, the rows that win go through a staging table after all.
        """
        target, counts = self.plan.table.name, self.counts
        counts.deleted = session.execute(statements.delete_all(target))
        self._fill(session, target, exists=True)
        if self._settle_keys(session, target):
            winners = self._keep_winners(session, target, None, exists=True)
            session.execute(statements.delete_all(target))
            counts.inserted = session.execute(statements.insert_all(target, winners, self.plan.columns))
        else:
            counts.inserted = counts.staged - counts.dropped_null_keys
        check_not_emptied(self.plan, counts, counts.deleted)

    def _prepare(self, session: Session, temporary: ExitStack | None, *, exists: bool) -> TableName:
        """Stage the rows; return the staging table that holds what the target is given."""
        staging = self._create_staging(session, temporary, exists=exists)
        self._fill(session, staging, exists=exists)
        duplicates = self._settle_keys(session, staging)
        return self._keep_winners(session, staging, temporary, exists=exists) if duplicates else staging

    def _fill(self, session: Session, into: TableName, *, exists: bool) -> None:
        """Let the source's rows come in and count them."""
        self.reporter.progress("stage")
        loaded, reports = self.fill(session, into, exists)
        self.counts.staged, self.counts.rejected = loaded.rows, loaded.rejected
        self.counts.replaced_characters = loaded.replaced
        self.counts.dropped_null_keys = loaded.without_key
        self.counts.unique = loaded.rows - loaded.without_key
        for report in reports if self.plan.check_rows else []:
            demand(report, self.reports)

    def _keep_winners(
        self, session: Session, rows: TableName, temporary: ExitStack | None, *, exists: bool
    ) -> TableName:
        """Stage one of the rows of each key."""
        winners = self._create_staging(session, temporary, exists=exists)
        plan = self.plan
        session.execute(statements.keep_winners(winners, rows, plan.columns, plan.keys, plan.order))
        return winners

    def _create_staging(self, session: Session, temporary: ExitStack | None, *, exists: bool) -> TableName:
        name = staging_name()
        plan = self.plan
        nullable = plan.keys if plan.null_keys == "drop" else ()
        session.execute(create_staging(name, plan.table, plan.columns, exists=exists, nullable=nullable))
        self._staging_tables.append(name)
        if temporary is not None:
            temporary.enter_context(dropped_at_the_end(session, name))
        return name

    def _settle_keys(self, session: Session, rows: TableName) -> bool:
        """Settle NULL keys and count duplicates; tell whether there are any to drop."""
        plan, counts = self.plan, self.counts
        if not plan.keys:
            return False
        self.reporter.progress("de-duplicate", rows=counts.staged)
        present, keys, counts.null_keys = map(int, session.row(statements.profile_keys(rows, plan.keys)))
        check_null_keys(plan, counts)
        if counts.null_keys and plan.null_keys == "drop":
            counts.dropped_null_keys = session.execute(statements.drop_null_keys(rows, plan.keys))
            present, keys, _ = map(int, session.row(statements.profile_keys(rows, plan.keys)))
        counts.duplicates = present - keys
        counts.unique = keys if plan.one_row_per_key else present
        return counts.unique < present

    def _change(self, session: Session, staging: TableName) -> None:
        """Exchange the rows, and conclude."""
        self.reporter.progress("exchange", rows=self.counts.unique)
        exchange(session, staging, self.plan, self.counts)
        self._conclude(session, staging)

    def _conclude(self, session: Session, new_rows: TableName) -> None:
        """Check the outcome, record it in the history."""
        self._check(session, new_rows)
        if self.plan.history:
            self.reporter.progress("history")
            self.counts.history = record(session, self.plan.history)

    def _check(self, session: Session, new_rows: TableName) -> None:
        self.reporter.progress("check", rows=self.counts.unique)
        chosen: list[Check] = [row_count_check] if self.plan.check_rows else []
        chosen += [key_check] if self.plan.looks_at_keys else []
        for check in (*chosen, *self.checks):
            demand(check(session, new_rows, self.plan, self.counts), self.reports)
