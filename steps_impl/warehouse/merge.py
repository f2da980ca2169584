"""One upsert: everything between BEGIN and COMMIT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from core.settings import Settings
from steps_impl.contract import Reporter
from steps_impl.load.counts import demand
from steps_impl.load.staging import create_staging, drop_staging, staging_name
from steps_impl.quality.report import CheckReport
from steps_impl.warehouse import statements
from steps_impl.warehouse.checks import check_not_emptied, check_null_keys, key_check, look_at_target, row_count_check
from steps_impl.warehouse.plan import Check, MergeCounts, MergePlan
from steps_impl.warehouse.sources import Fill
from steps_impl.warehouse.target import settle, take_hold
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
    _staging_tables: list[str] = field(default_factory=list)

    def run(self, session: Session) -> None:
        """Do the whole upsert as one transaction that locks the target first.

        Raises:
            CheckFailed: a check failed; nothing is changed.
            SchemaMismatch: the target is not as defined.
            TransactionConflict: another writer came first; try again on a new session.
            LoadRejected, StoreError, InterruptedError: nothing is changed.
        """
        settled = settle(session, self.plan.table, self.plan.on_drift)
        self.altered = settled.altered
        with session.transaction():
            self.created = take_hold(
                session, self.plan.table, self.settings, exists=settled.exists, policy=self.plan.on_drift
            )
            self.replace_rows(session)

    def replace_rows(self, session: Session) -> None:
        """Do everything that belongs to the transaction once it holds the target. Raises as ``run`` does."""
        staging = self._one_row_per_key(session, self._stage(session))
        self._exchange(session, staging)
        self._check(session, staging)
        for name in self._staging_tables:
            session.execute(drop_staging(name))

    def _stage(self, session: Session) -> str:
        name = self._create_staging(session)
        self.reporter.progress("stage")
        loaded, reports = self.fill(session, name)
        self.counts.staged, self.counts.rejected = loaded.rows, loaded.rejected
        self.counts.replaced_characters = loaded.replaced
        if self.plan.check_rows:
            self.reports += [demand(report) for report in reports]
        return name

    def _create_staging(self, session: Session) -> str:
        name = staging_name()
        session.execute(create_staging(name, self.plan.table, self.plan.columns, exists=True))
        self._staging_tables.append(name)
        return name

    def _one_row_per_key(self, session: Session, staging: str) -> str:
        """Settle NULL keys and duplicates; return the staging table that holds each key once."""
        plan, counts = self.plan, self.counts
        self.reporter.progress("de-duplicate", rows=counts.staged)
        rows, keys, counts.null_keys = map(int, session.row(statements.profile_keys(staging, plan.keys)))
        check_null_keys(plan, counts)
        if counts.null_keys and plan.null_keys == "drop":
            counts.dropped_null_keys = session.execute(statements.drop_null_keys(staging, plan.keys))
            rows, keys, _ = map(int, session.row(statements.profile_keys(staging, plan.keys)))
        counts.duplicates = rows - keys
        if not counts.duplicates:
            return staging
        winners = self._create_staging(session)
        session.execute(statements.keep_winners(winners, staging, plan.columns, plan.keys, plan.order))
        return winners

    def _exchange(self, session: Session, staging: str) -> None:
        plan, counts = self.plan, self.counts
        self.reporter.progress("exchange", rows=counts.staged)
        if plan.check_rows:
            (counts.before,) = session.row(statements.count_rows(plan.table.name.sql))
        counts.deleted = self._delete(session, staging)
        counts.inserted = session.execute(statements.insert_all(plan.table.name, staging, plan.columns))

    def _delete(self, session: Session, staging: str) -> int:
        plan = self.plan
        if plan.delete_existing:
            deleted = session.execute(statements.delete_all(plan.table.name))
            check_not_emptied(plan, self.counts, deleted)
            return deleted
        deleted = session.execute(statements.delete_matching(plan.table.name, staging, plan.keys))
        if self.counts.null_keys and plan.null_keys == "match":
            nulls = statements.delete_matching_nulls(plan.table.name, staging, plan.keys)
            deleted += session.execute(nulls)
        return deleted

    def _check(self, session: Session, staging: str) -> None:
        self.reporter.progress("check", rows=self.counts.inserted)
        if self.plan.check_rows or self.plan.check_keys:
            look_at_target(session, staging, self.plan, self.counts)
        chosen: list[Check] = [row_count_check] if self.plan.check_rows else []
        chosen += [key_check] if self.plan.check_keys else []
        for check in (*chosen, *self.checks):
            self.reports.append(demand(check(session, staging, self.plan, self.counts)))
