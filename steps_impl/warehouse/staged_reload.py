"""One attempt of ``load-reload-pk``: files into staging, staging into production, both or neither."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from core.errors import CheckFailed
from core.settings import Settings
from steps_impl.contract import StepContext
from steps_impl.load.copy_options import CopyTarget
from steps_impl.load.counts import arrival_report, demand
from steps_impl.load.staging import Loaded, Loader, create_staging, dropped_at_the_end, staging_name
from steps_impl.quality.report import CheckReport
from steps_impl.tables.model import Table, TableName
from steps_impl.tables.render import column_list
from steps_impl.warehouse.keys import any_null
from steps_impl.warehouse.load_reload_parameters import LoadReloadParameters
from steps_impl.warehouse.merge import Merge
from steps_impl.warehouse.plan import Check, MergePlan
from steps_impl.warehouse.sources import Fill
from steps_impl.warehouse.statements import count_rows, delete_all, fill_from_query, insert_all, profile_keys
from steps_impl.warehouse.target import settle, take_hold_of_all
from stores.redshift import Session


@dataclass
class StagedReload:
    """One attempt; made anew when the transaction is tried again."""

    parameters: LoadReloadParameters
    settings: Settings
    context: StepContext
    staging: Table
    loader: Loader
    plan: MergePlan
    columns: tuple[str, ...]
    checks: Sequence[Check] = ()
    reports: list[CheckReport] = field(default_factory=list)
    temporary: TableName = field(default_factory=staging_name)
    details: dict[str, Any] = field(default_factory=dict)

    def run(self, session: Session) -> Merge:
        """Do all of it; return the reload of production.

        Raises:
            CheckFailed, SchemaMismatch, LoadRejected, StoreError, InterruptedError: no row is changed.
        """
        policy = self.parameters.drift_policy
        found = {table: settle(session, table, policy) for table in (self.staging, self.plan.table)}
        there = {table: settled.exists for table, settled in found.items()}
        session.execute(create_staging(self.temporary, self.staging, self.columns, exists=there[self.staging]))
        with dropped_at_the_end(session, self.temporary):
            loaded = self._load(session)
            with session.transaction():
                created = take_hold_of_all(session, there, self.settings, policy)
                self._replace_staging(session)
                merge = self._production(loaded)
                merge.replace_rows(session)
        self.details |= {"created": dict(zip(("staging", "production"), created, strict=True))}
        self.details |= {"altered": [change for settled in found.values() for change in settled.altered]}
        self.details |= {"staged": loaded.rows, "rejected": loaded.rejected, "replaced_characters": loaded.replaced}
        return merge

    def _load(self, session: Session) -> Loaded:
        self.context.reporter.progress("copy", bytes=self.loader.source.bytes)
        loaded = self.loader.load(session, CopyTarget(self.temporary, self.columns))
        if self.parameters.check_rows:
            report = arrival_report(self.staging.name, self.loader.source, loaded, self.parameters.tolerance)
            demand(report, self.reports)
        return loaded

    def _replace_staging(self, session: Session) -> None:
        self.context.reporter.progress("fill staging")
        self.details["staging_deleted"] = session.execute(delete_all(self.staging.name))
        session.execute(insert_all(self.staging.name, self.temporary, self.columns))

    def _production(self, loaded: Loaded) -> Merge:
        fill, reporter = self._fill(loaded), self.context.reporter
        return Merge(self.plan, self.settings, reporter, fill, self.checks, reports=self.reports)

    def _fill(self, loaded: Loaded) -> Fill:
        """Return what takes the rows of the staging table for production."""

        def fill(session: Session, into: TableName, exists: bool) -> tuple[Loaded, list[CheckReport]]:  # noqa: ARG001
            nulls = self._rows_without_key(session)
            rows = session.execute(fill_from_query(into, self._rows_with_key(), self.plan.columns))
            if rows + nulls != loaded.rows:
                raise CheckFailed(f"{self.staging.name} has {rows + nulls} rows after a load of {loaded.rows}")
            if not self.parameters.enforce_primary_key:
                self._demand_single_keys(session, into)
            return Loaded(loaded.rows, loaded.rejected, loaded.replaced, without_key=nulls), []

        return fill

    def _rows_with_key(self) -> str:
        names = column_list(self.plan.columns)
        return f"SELECT {names} FROM {self.staging.name.sql} WHERE NOT ({any_null('', self.plan.keys)})"

    def _rows_without_key(self, session: Session) -> int:
        """Count the staged rows that production has no place for: its key is NOT NULL."""
        relation = f"{self.staging.name.sql} WHERE {any_null('', self.plan.keys)}"
        found = int(session.row(count_rows(relation))[0])
        self.details["null_keys"] = found
        if found and self.parameters.null_keys == "fail":
            raise CheckFailed(
                f"{found} staged rows for {self.plan.table.name} have NULL in {', '.join(self.plan.keys)}; mend the "
                "source, or choose --null-keys drop"
            )
        return found

    def _demand_single_keys(self, session: Session, staged: TableName) -> None:
        rows, keys, _ = map(int, session.row(profile_keys(staged, self.plan.keys)))
        if rows != keys:
            raise CheckFailed(
                f"{rows - keys} rows for {self.plan.table.name} have a key that comes twice "
                f"({', '.join(self.plan.keys)}); mend the source, or let --enforce-primary-key choose one of them"
            )
