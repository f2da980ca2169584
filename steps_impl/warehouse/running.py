"""What ``upsert``, ``reload`` and ``delta-load`` do: read the texts, plan, merge, report."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from core.settings import Settings, load_settings
from steps_impl.contract import StepContext, StepResult
from steps_impl.load.digits import check_digits
from steps_impl.load.manifest import LoadInput
from steps_impl.load.s3_input import open_input
from steps_impl.quality.inside import inside_checks
from steps_impl.quality.telling import told_after
from steps_impl.tables.definition import read_definition
from steps_impl.tables.model import Table
from steps_impl.warehouse.checks import of_merge
from steps_impl.warehouse.comparison import Relation, Written, found_by, source_checks, whole_target
from steps_impl.warehouse.maintenance import Maintenance
from steps_impl.warehouse.merge import Merge
from steps_impl.warehouse.merge_parameters import MergeParameters
from steps_impl.warehouse.plan import Check, MergePlan
from steps_impl.warehouse.planning import How, make_plan, stated_keys
from steps_impl.warehouse.sources import Fill, WarehouseSource, filled_from_files, filled_from_warehouse, read_query
from steps_impl.warehouse.target import warehouse_of, workspace_of
from stores.redshift import Session, connect, run_session
from stores.s3 import S3Store


@dataclass(frozen=True)
class _Source:
    """Where the rows come from: one of the two."""

    files: LoadInput | None = None
    warehouse: WarehouseSource | None = None


def run_merge(parameters: MergeParameters, context: StepContext, how: How) -> StepResult:
    """Merge the source's rows into the table and return what happened, in rows."""
    settings = load_settings(environment=context.environment)
    store = S3Store(region=settings.etl.region)
    table = read_definition(parameters.table_definition, store)
    history = read_definition(parameters.history, store) if parameters.history else None
    stated_keys(parameters, how, table)  # before anything is read
    with _source(store, parameters, how, settings) as source:
        plan = _plan(parameters, how, (table, history), source, settings, context)
        fill = _fill(parameters, settings, plan, source)
        checks = _checks(parameters, settings, plan, source.files, context)
        attempts: list[Merge] = []

        def attempt(session: Session) -> None:
            attempts.append(Merge(plan, settings, context.reporter, fill, checks))
            attempts[-1].run(session)

        with told_after(parameters, table.name, lambda: attempts[-1].reports, settings, context) as telling:
            run_session(
                warehouse_of(settings),
                attempt,
                cancelled=context.cancelled,
                query_group=parameters.queue,
                connection_retries=settings.etl.connection_retries,
            )
    merge = attempts[-1]
    maintained = _maintained(merge, Maintenance(parameters, settings, context, parameters.queue))
    return _result(merge, source.files, len(attempts), {**maintained, **telling})


def _maintained(merge: Merge, maintenance: Maintenance) -> dict[str, Any]:
    """Vacuum and analyze what was written to; return what came of it for the table."""
    counts, history = merge.counts, merge.counts.history
    if merge.plan.history and history:
        maintenance.after(merge.plan.history.history.name, history.changed + history.vanished)
    return maintenance.after(merge.plan.table.name, counts.deleted + counts.updated, counts.after)


@contextmanager
def _source(store: S3Store, parameters: MergeParameters, how: How, settings: Settings) -> Iterator[_Source]:
    if not parameters.input:
        script = parameters.source_script
        query = read_query(script, store) if script else parameters.source_sql
        source = WarehouseSource.of(parameters.source_table, query, parameters.filter_clause, how.window)
        yield _Source(warehouse=source)
        return
    with open_input(store, parameters.input, workspace_of(settings)) as files:
        yield _Source(files)


def _plan(
    parameters: MergeParameters,
    how: How,
    tables: tuple[Table, Table | None],
    source: _Source,
    settings: Settings,
    context: StepContext,
) -> MergePlan:
    """Return the plan; a source in the warehouse is asked for its columns."""
    columns = source.files.columns if source.files else None
    if source.warehouse and not parameters.columns:
        warehouse, retries = warehouse_of(settings), settings.etl.connection_retries
        with connect(warehouse, cancelled=context.cancelled, query_group=parameters.queue, retries=retries) as session:
            columns = source.warehouse.columns(session)
    return make_plan(parameters, how, *tables, columns, files=source.files is not None)


def _fill(parameters: MergeParameters, settings: Settings, plan: MergePlan, source: _Source) -> Fill:
    if source.warehouse:
        return filled_from_warehouse(plan, source.warehouse)
    assert source.files is not None
    options = parameters.copy_options(source.files.format)
    check_digits(plan.table, plan.columns, source.files, options)
    return filled_from_files(plan, warehouse_of(settings), source.files, options)


def _checks(
    parameters: MergeParameters, settings: Settings, plan: MergePlan, files: LoadInput | None, context: StepContext
) -> list[Check]:
    cut = files is not None and not parameters.copy_options(files.format).rounds  # INSERT … SELECT rounds
    written = Written(plan.table, plan.columns, plan.keys, _written_rows(plan), rounds=not cut)
    checks = [*inside_checks(parameters, plan.table), *source_checks(parameters, written, settings, context)]
    return [of_merge(check) for check in checks]


def _written_rows(plan: MergePlan) -> Relation | None:
    if plan.delete_existing:
        return whole_target
    return None if plan.mode == "append" else found_by(plan.keys)


def _result(merge: Merge, files: LoadInput | None, attempts: int, maintained: dict[str, Any]) -> StepResult:
    counts, history = merge.counts, merge.counts.history
    details: dict[str, Any] = {
        "table": str(merge.plan.table.name),
        "mode": merge.plan.mode,
        "created": merge.created,
        "altered": list(merge.altered),
        "attempts": attempts,
        "files": len(files.files) if files else None,
        "read": files.rows if files else counts.staged,
        "staged": counts.staged,
        "rejected": counts.rejected,
        "replaced_characters": counts.replaced_characters,
        "null_keys": counts.null_keys,
        "dropped_null_keys": counts.dropped_null_keys,
        "duplicates_dropped": counts.duplicates if merge.plan.one_row_per_key else 0,
        "deleted": counts.deleted,
        "updated": counts.updated,
        "inserted": counts.inserted,
        "target_rows": counts.after,
        "history": {"table": str(merge.plan.history.history.name), **asdict(history)}
        if merge.plan.history and history
        else None,
        "checks": [report.details for report in merge.reports],
        **maintained,
    }
    return StepResult(rows=counts.inserted + counts.updated, bytes=files.bytes if files else None, details=details)
