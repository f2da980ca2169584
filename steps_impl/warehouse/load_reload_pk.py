"""The step ``load-reload-pk``: files into a staging table, from there into production, checked before anybody sees it.

Dataduct made three activities of it: load staging, reload production, look for duplicate keys in production. Between
the second and the third everybody read what nobody had checked, and a failed check came too late. Here all of it is one
transaction that locks both tables: the files are loaded into a temporary table before, then staging and production get
their rows, the keys of production are checked, and the commit shows both or, after a failure, neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field

from core.errors import CheckFailed, ParameterError, SchemaMismatch
from core.sections.databases import RedshiftSettings
from core.settings import Settings, load_settings
from steps_impl.contract import StepContext, StepResult
from steps_impl.load.copy_options import CopyTarget
from steps_impl.load.counts import arrival_report, demand
from steps_impl.load.digits import check_digits
from steps_impl.load.manifest import LoadInput, open_input
from steps_impl.load.parameters import FileParameters
from steps_impl.load.staging import Loaded, Loader, create_staging, dropped_at_the_end, load_columns, staging_name
from steps_impl.quality.report import CheckReport
from steps_impl.registry import Step
from steps_impl.tables.definition import read_definition
from steps_impl.tables.model import Table
from steps_impl.tables.render import column_list
from steps_impl.warehouse.keys import any_null
from steps_impl.warehouse.maintenance import Maintenance, MaintenanceParameters
from steps_impl.warehouse.merge import Merge
from steps_impl.warehouse.order import winner_terms
from steps_impl.warehouse.plan import MergePlan
from steps_impl.warehouse.sources import Fill
from steps_impl.warehouse.statements import count_rows, delete_all, fill_from_query, insert_all, profile_keys
from steps_impl.warehouse.target import settle, take_hold_of_all, warehouse_of, workspace_of
from stores.redshift import Session, run_session
from stores.s3 import S3Store


class LoadReloadParameters(MaintenanceParameters, FileParameters):
    """Parameters of ``load-reload-pk``."""

    staging_table_definition: str = Field(
        description="the table that holds the files' rows, as CREATE TABLE: a file, s3://bucket/key, or the text itself"
    )
    production_table_definition: str = Field(
        description="the table that gets the rows of staging; its primary key is checked"
    )
    input: tuple[str, ...] = Field(
        min_length=1, description="what to load: a manifest, a directory or a file in S3; several are loaded together"
    )
    enforce_primary_key: bool = Field(
        default=True, description="of rows with one key production gets one; otherwise such rows fail the step"
    )
    order_by: str | None = Field(
        default=None,
        description="which of several rows with one key wins: the first in this order, e.g. 'updated_at DESC, id'; "
        "ties, and everything by default: the greatest values of the other columns",
    )
    null_keys: Literal["fail", "drop"] = Field(
        default="fail", description="rows with NULL in the primary key: refuse them, or leave them out of production"
    )
    allow_empty: bool = Field(
        default=False, description="let files without rows empty a production table that has some (else refused)"
    )
    check_rows: bool = Field(default=True, description="check the row counts from the files to production")
    check_keys: bool = Field(default=True, description="check that every key is in production exactly once")


@dataclass
class _Reload:
    """One attempt; made anew when the transaction is tried again."""

    parameters: LoadReloadParameters
    settings: Settings
    context: StepContext
    staging: Table
    loader: Loader
    plan: MergePlan
    columns: tuple[str, ...]
    temporary: str = field(default_factory=staging_name)
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
                merge = Merge(self.plan, self.settings, self.context.reporter, self._fill(loaded))
                merge.replace_rows(session)
        self.details |= {"created": dict(zip(("staging", "production"), created, strict=True))}
        self.details |= {"altered": [change for settled in found.values() for change in settled.altered]}
        self.details |= {"staged": loaded.rows, "rejected": loaded.rejected, "replaced_characters": loaded.replaced}
        return merge

    def _load(self, session: Session) -> Loaded:
        self.context.reporter.progress("copy", bytes=self.loader.source.bytes)
        loaded = self.loader.load(session, CopyTarget(self.temporary, self.columns))
        if self.parameters.check_rows:
            demand(arrival_report(self.staging.name, self.loader.source, loaded))
        return loaded

    def _replace_staging(self, session: Session) -> None:
        self.context.reporter.progress("fill staging")
        self.details["staging_deleted"] = session.execute(delete_all(self.staging.name))
        session.execute(insert_all(self.staging.name, self.temporary, self.columns))

    def _fill(self, loaded: Loaded) -> Fill:
        """Return what takes the rows of the staging table for production."""

        def fill(session: Session, into: str, exists: bool) -> tuple[Loaded, list[CheckReport]]:  # noqa: ARG001
            nulls = self._rows_without_key(session)
            rows = session.execute(fill_from_query(into, self._rows_with_key(), self.plan.columns))
            if rows + nulls != loaded.rows:
                raise CheckFailed(f"{self.staging.name} has {rows + nulls} rows after a load of {loaded.rows}")
            if not self.parameters.enforce_primary_key:
                self._demand_single_keys(session, into)
            return Loaded(rows), []

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

    def _demand_single_keys(self, session: Session, staged: str) -> None:
        rows, keys, _ = map(int, session.row(profile_keys(staged, self.plan.keys)))
        if rows != keys:
            raise CheckFailed(
                f"{rows - keys} rows for {self.plan.table.name} have a key that comes twice "
                f"({', '.join(self.plan.keys)}); mend the source, or let --enforce-primary-key choose one of them"
            )


def run(parameters: LoadReloadParameters, context: StepContext) -> StepResult:
    """Load staging and production, and return what happened, in rows of production."""
    settings = load_settings(environment=context.environment)
    warehouse, store = warehouse_of(settings), S3Store(region=settings.etl.region)
    staging = read_definition(parameters.staging_table_definition, store)
    production = read_definition(parameters.production_table_definition, store)
    plan = _plan(parameters, staging, production)
    with open_input(store, parameters.input, workspace_of(settings)) as source:
        loader, columns = _loader(parameters, warehouse, staging, source)
        attempts: list[_Reload] = []

        def attempt(session: Session) -> Merge:
            attempts.append(_Reload(parameters, settings, context, staging, loader, plan, columns))
            return attempts[-1].run(session)

        merge = run_session(
            warehouse,
            attempt,
            cancelled=context.cancelled,
            query_group=parameters.queue,
            connection_retries=settings.etl.connection_retries,
        )
    maintenance = Maintenance(parameters, settings, context, parameters.queue)
    maintained = {
        "staging": maintenance.after(staging.name, attempts[-1].details["staging_deleted"]),
        "production": maintenance.after(production.name, merge.counts.deleted, merge.counts.after),
    }
    return _result(attempts, merge, source, maintained)


def _loader(
    parameters: LoadReloadParameters, warehouse: RedshiftSettings, staging: Table, source: LoadInput
) -> tuple[Loader, tuple[str, ...]]:
    options = parameters.copy_options(source.format)
    columns = load_columns(staging, parameters.columns or source.columns)
    check_digits(staging, columns, source, options)
    return Loader(warehouse, source, options), columns


def _plan(parameters: LoadReloadParameters, staging: Table, production: Table) -> MergePlan:
    """Decide what becomes of production.

    Raises:
        ParameterError: production has no primary key, or is the staging table itself.
        SchemaMismatch: staging does not have the columns that production needs.
    """
    if staging.name == production.name:
        raise ParameterError(f"--staging-table-definition and --production-table-definition both name {staging.name}")
    columns = _shared_columns(staging, production)
    if not production.key or not set(production.key) <= set(columns):
        raise ParameterError(f"the definition of {production.name} has no primary key that staging fills; give it one")
    return MergePlan(
        table=production,
        columns=columns,
        keys=production.key,
        order=winner_terms(production, columns, production.key, parameters.order_by),
        delete_existing=True,
        allow_empty=parameters.allow_empty,
        check_rows=parameters.check_rows,
        check_keys=parameters.check_keys,
        on_drift=parameters.drift_policy,
    )


def _shared_columns(staging: Table, production: Table) -> tuple[str, ...]:
    """Return production's columns that come from staging, by name; all others have to fill themselves."""
    needed = [column for column in production.columns if not column.identity]
    missing = [column.name for column in needed if not staging.has(column.name) and column.default is None]
    extra = [column.name for column in staging.columns if not production.has(column.name) and not column.identity]
    found = [f"{name!r} of production is not in staging" for name in missing]
    found += [f"{name!r} of staging is not in production" for name in extra]
    if found:
        raise SchemaMismatch(f"{staging.name} and {production.name} do not fit: {'; '.join(found)}")
    return tuple(column.name for column in needed if staging.has(column.name))


def _result(attempts: Sequence[_Reload], merge: Merge, source: LoadInput, maintained: dict[str, Any]) -> StepResult:
    counts = merge.counts
    details = {
        "staging_table": str(attempts[-1].staging.name),
        "table": str(merge.plan.table.name),
        "attempts": len(attempts),
        "files": len(source.files),
        **attempts[-1].details,
        "duplicates_dropped": counts.duplicates,
        "deleted": counts.deleted,
        "inserted": counts.inserted,
        "checks": [{"check": report.check, "success": report.success, **report.counts} for report in merge.reports],
        **{what: {table: done[what] for table, done in maintained.items()} for what in ("vacuum", "analyze")},
    }
    return StepResult(rows=counts.inserted, bytes=source.bytes, details=details)


STEP = Step(
    name="load-reload-pk",
    summary="Load files into a staging table and reload production from it, its primary key checked before the commit.",
    parameters=LoadReloadParameters,
    run=run,
)
