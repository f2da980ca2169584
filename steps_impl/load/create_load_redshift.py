"""The step ``create-load-redshift``: a table as its definition says, filled from files in S3.

The files go into a temporary table first, before the target is locked, so that readers wait only for the exchange of
the rows. The exchange is one transaction: everybody sees the former rows or the new ones, and a failure leaves the
former ones (Dataduct truncated and then copied: a failing load left an empty table).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field

from core.errors import CheckFailed, ParameterError
from core.settings import Settings, load_settings
from steps_impl.contract import StepContext, StepResult
from steps_impl.load.copy_options import CopyTarget
from steps_impl.load.counts import arrival_report, demand
from steps_impl.load.digits import check_digits
from steps_impl.load.manifest import LoadInput
from steps_impl.load.parameters import LoadParameters
from steps_impl.load.s3_input import open_input
from steps_impl.load.staging import (
    Loaded,
    Loader,
    create_staging,
    dropped_at_the_end,
    load_columns,
    staging_name,
)
from steps_impl.quality.inside import LoadCheck, Loading, inside_checks, whole_key_check
from steps_impl.quality.inside_parameters import LoadCheckParameters
from steps_impl.quality.report import CheckReport
from steps_impl.quality.telling import told_after
from steps_impl.registry import Step
from steps_impl.tables.definition import read_definition
from steps_impl.tables.model import Table, TableName
from steps_impl.warehouse.comparison import Relation, Written, source_checks, whole_target
from steps_impl.warehouse.maintenance import Maintenance, MaintenanceParameters
from steps_impl.warehouse.statements import count_rows, delete_all, insert_all, insert_missing, profile_keys
from steps_impl.warehouse.target import settle, take_hold, warehouse_of, workspace_of
from stores.redshift import Session, run_session
from stores.s3 import S3Store


class CreateLoadParameters(LoadCheckParameters, MaintenanceParameters, LoadParameters):
    """Parameters of ``create-load-redshift``."""

    input: tuple[str, ...] = Field(
        min_length=1, description="what to load: a manifest, a directory or a file in S3; several are loaded together"
    )
    mode: Literal["replace", "append"] = Field(
        default="replace",
        description="replace: the table holds these rows only; append: rows whose primary key is new are added",
    )


@dataclass
class _Exchange:
    """One attempt to load; made anew when the transaction is tried again."""

    parameters: CreateLoadParameters
    settings: Settings
    context: StepContext
    table: Table
    source: LoadInput
    columns: tuple[str, ...]
    loader: Loader
    checks: Sequence[LoadCheck] = ()
    reports: list[CheckReport] = field(default_factory=list)
    staging: TableName = field(default_factory=staging_name)

    def run(self, session: Session) -> dict[str, Any]:
        """Stage the files, exchange the rows in one transaction, return the counts."""
        policy = self.parameters.drift_policy
        settled = settle(session, self.table, policy)
        session.execute(create_staging(self.staging, self.table, self.columns, exists=settled.exists))
        with dropped_at_the_end(session, self.staging):
            loaded = self._stage(session)
            self.context.reporter.progress("exchange", rows=loaded.rows)
            with session.transaction():
                created = take_hold(session, self.table, self.settings, exists=settled.exists, policy=policy)
                counts = self._exchange(session, loaded)
                self._check(session, loaded)
        staged = {"staged": loaded.rows, "rejected": loaded.rejected, "replaced_characters": loaded.replaced}
        return {"created": created, "altered": list(settled.altered), **staged, **counts}

    def _stage(self, session: Session) -> Loaded:
        """Load the files into the temporary table and check that every row arrived."""
        self.context.reporter.progress("copy", bytes=self.source.bytes)
        loaded = self.loader.load(session, CopyTarget(self.staging, self.columns))
        if self.parameters.check_rows:
            demand(arrival_report(self.table.name, self.source, loaded, self.parameters.tolerance), self.reports)
        return loaded

    def _exchange(self, session: Session, loaded: Loaded) -> dict[str, Any]:
        """Put the staged rows in place."""
        if self.parameters.mode == "append":
            inserted = self._append(session)
            (after,) = session.row(count_rows(self.table.name.sql))
            return {"deleted": 0, "inserted": inserted, "target_rows": after}
        deleted = session.execute(delete_all(self.table.name))
        inserted = session.execute(insert_all(self.table.name, self.staging, self.columns))
        if inserted != loaded.rows:  # the table is locked and was emptied: it holds what was inserted
            raise CheckFailed(f"table {self.table.name} has {inserted} rows after a load of {loaded.rows}")
        return {"deleted": deleted, "inserted": inserted, "target_rows": inserted}

    def _check(self, session: Session, loaded: Loaded) -> None:
        self.context.reporter.progress("check", rows=loaded.rows)
        loading = Loading(session, self.table, self.staging, loaded.rows, {"refused": loaded.rejected})
        for check in self.checks:
            demand(check(loading), self.reports)

    def _append(self, session: Session) -> int:
        """Add rows with a new key only, so that a second run of the same load adds nothing."""
        rows, keys, nulls = session.row(profile_keys(self.staging, self.table.key))
        if rows != keys or nulls:
            raise CheckFailed(
                f"the files for {self.table.name} hold {rows - keys} rows with a key that comes twice and {nulls} "
                "with NULL in the key; append needs every key once (upsert chooses a winner)"
            )
        return session.execute(insert_missing(self.table.name, self.staging, self.columns, self.table.key))


def run(parameters: CreateLoadParameters, context: StepContext) -> StepResult:
    """Create the table if it is missing, load the files, exchange the rows."""
    settings = load_settings(environment=context.environment)
    warehouse = warehouse_of(settings)
    store = S3Store(region=settings.etl.region)
    table = read_definition(parameters.table_definition, store)
    with open_input(store, parameters.input, workspace_of(settings)) as source:
        columns = load_columns(table, parameters.columns or source.columns)
        _check_mode(parameters, table, columns)
        options = parameters.copy_options(source.format)
        check_digits(table, columns, source, options)
        loader = Loader(warehouse, source, options)
        written = Written(table, columns, table.key, _written_rows(parameters), rounds=options.rounds)
        checks = [*_checks(parameters, table), *source_checks(parameters, written, settings, context)]
        attempts: list[_Exchange] = []

        def attempt(session: Session) -> dict[str, Any]:
            attempts.append(_Exchange(parameters, settings, context, table, source, columns, loader, checks))
            return attempts[-1].run(session)

        with told_after(parameters, table.name, lambda: attempts[-1].reports, settings, context) as telling:
            counts = run_session(
                warehouse,
                attempt,
                cancelled=context.cancelled,
                query_group=parameters.queue,
                connection_retries=settings.etl.connection_retries,
            )
    maintenance = Maintenance(parameters, settings, context, parameters.queue)
    maintained = maintenance.after(table.name, counts["deleted"], counts["target_rows"])
    details = {
        "table": str(table.name),
        "mode": parameters.mode,
        "files": len(source.files),
        "attempts": len(attempts),
        **counts,
        "checks": [report.details for report in attempts[-1].reports],
        **maintained,
        **telling,
    }
    return StepResult(rows=counts["inserted"], bytes=source.bytes, details=details)


def _checks(parameters: CreateLoadParameters, table: Table) -> list[LoadCheck]:
    if parameters.check_keys and not table.key:
        raise ParameterError(f"--check-keys: the definition of {table.name} has no primary key")
    keys = [whole_key_check(table.key)] if parameters.check_keys else []
    return [*keys, *inside_checks(parameters, table)]


def _written_rows(parameters: CreateLoadParameters) -> Relation | None:
    return whole_target if parameters.mode == "replace" else None


def _check_mode(parameters: CreateLoadParameters, table: Table, columns: tuple[str, ...]) -> None:
    if parameters.mode == "append" and not (table.key and set(table.key) <= set(columns)):
        raise ParameterError(
            f"--mode append needs a primary key in the definition of {table.name} whose columns the files hold: "
            "without it a second run could not tell which rows are there already"
        )


STEP = Step(
    name="create-load-redshift",
    summary="Create a Redshift table from its definition if it is missing, and load files from S3 into it.",
    parameters=CreateLoadParameters,
    run=run,
)
