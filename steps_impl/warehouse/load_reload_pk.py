"""The step ``load-reload-pk``: files into a staging table, from there into production, checked before anybody sees it.

Dataduct made three activities of it: load staging, reload production, look for duplicate keys in production. Between
the second and the third everybody read what nobody had checked, and a failed check came too late. Here all of it is one
transaction that locks both tables: the files are loaded into a temporary table before, then staging and production get
their rows, the keys of production are checked, and the commit shows both or, after a failure, neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.errors import ParameterError, SchemaMismatch
from core.sections.databases import RedshiftSettings
from core.settings import load_settings
from steps_impl.contract import StepContext, StepResult
from steps_impl.load.digits import check_digits
from steps_impl.load.manifest import LoadInput
from steps_impl.load.s3_input import open_input
from steps_impl.load.staging import Loader, load_columns
from steps_impl.quality.inside import inside_checks
from steps_impl.quality.telling import told_after
from steps_impl.registry import Step
from steps_impl.tables.definition import read_definition
from steps_impl.tables.model import Table
from steps_impl.warehouse.checks import of_merge
from steps_impl.warehouse.comparison import Written, source_checks, whole_target
from steps_impl.warehouse.load_reload_parameters import LoadReloadParameters
from steps_impl.warehouse.maintenance import Maintenance
from steps_impl.warehouse.merge import Merge
from steps_impl.warehouse.order import winner_terms
from steps_impl.warehouse.plan import MergePlan
from steps_impl.warehouse.staged_reload import StagedReload
from steps_impl.warehouse.target import warehouse_of, workspace_of
from stores.redshift import Session, run_session
from stores.s3 import S3Store


def run(parameters: LoadReloadParameters, context: StepContext) -> StepResult:
    """Load staging and production, and return what happened, in rows of production."""
    settings = load_settings(environment=context.environment)
    warehouse, store = warehouse_of(settings), S3Store(region=settings.etl.region)
    staging = read_definition(parameters.staging_table_definition, store)
    production = read_definition(parameters.production_table_definition, store)
    plan = _plan(parameters, staging, production)
    with open_input(store, parameters.input, workspace_of(settings)) as source:
        loader, columns = _loader(parameters, warehouse, staging, source)
        rounds = loader.options.rounds
        written = Written(production, plan.columns, production.key, whole_target, rounds=rounds)
        compared = source_checks(parameters, written, settings, context)
        checks = [of_merge(check) for check in (*inside_checks(parameters, production), *compared)]
        attempts: list[StagedReload] = []

        def attempt(session: Session) -> Merge:
            attempts.append(StagedReload(parameters, settings, context, staging, loader, plan, columns, checks))
            return attempts[-1].run(session)

        with told_after(parameters, production.name, lambda: attempts[-1].reports, settings, context) as telling:
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
    return _result(attempts, merge, source, maintained, telling)


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
        straight=not parameters.need_staging,
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


def _result(
    attempts: Sequence[StagedReload],
    merge: Merge,
    source: LoadInput,
    maintained: dict[str, Any],
    telling: dict[str, Any],
) -> StepResult:
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
        "checks": [report.details for report in merge.reports],
        **{what: {table: done[what] for table, done in maintained.items()} for what in ("vacuum", "analyze")},
        **telling,
    }
    return StepResult(rows=counts.inserted, bytes=source.bytes, details=details)


STEP = Step(
    name="load-reload-pk",
    summary="Load files into a staging table and reload production from it, its primary key checked before the commit.",
    parameters=LoadReloadParameters,
    run=run,
)
