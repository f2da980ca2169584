"""The step ``upsert``: new and changed rows into a Redshift table, checked before anybody sees them.

One transaction: lock the target, stage the rows in a temporary table of a unique name, keep one row for each key,
delete the target's rows with these keys, insert the staged ones, check, commit. A failed check, a killed process or a
lost connection leaves the table as it was. A serialization failure starts all over on a new connection.

Which of several rows with one key wins is said by ``--order-by``; where that is silent, the greatest values of the
remaining columns win, in the order of the definition, so that the same input always gives the same table.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import ROUND_DOWN, ROUND_HALF_UP
from typing import Any

from core.errors import ParameterError
from core.settings import Settings, load_settings
from steps_impl.contract import StepContext, StepResult
from steps_impl.load.digits import check_digits
from steps_impl.load.manifest import LoadInput, open_input
from steps_impl.load.staging import load_columns
from steps_impl.quality.sides import check_known
from steps_impl.registry import Step
from steps_impl.tables.definition import read_definition
from steps_impl.tables.model import Table
from steps_impl.warehouse.comparison import SourceComparison, types_of
from steps_impl.warehouse.merge import Merge
from steps_impl.warehouse.order import winner_terms
from steps_impl.warehouse.plan import Check, MergePlan
from steps_impl.warehouse.sources import Fill, filled_from_files, filled_from_warehouse
from steps_impl.warehouse.target import analyze_after, warehouse_of, workspace_of
from steps_impl.warehouse.upsert_parameters import UpsertParameters
from stores.redshift import Session, run_session
from stores.s3 import S3Store


def run(parameters: UpsertParameters, context: StepContext) -> StepResult:
    """Merge the source's rows into the table and return what happened, in rows."""
    settings = load_settings(environment=context.environment)
    warehouse = warehouse_of(settings)
    store = S3Store(region=settings.etl.region)
    table = read_definition(parameters.table_definition, store)
    with _input(store, parameters, settings) as files:
        plan = make_plan(parameters, table, files)
        fill = _fill(parameters, settings, plan, files)
        checks = _checks(parameters, settings, plan, files)
        attempts: list[Merge] = []

        def attempt(session: Session) -> None:
            attempts.append(Merge(plan, settings, context.reporter, fill, checks))
            attempts[-1].run(session)

        run_session(
            warehouse,
            attempt,
            cancelled=context.cancelled,
            query_group=parameters.queue,
            connection_retries=settings.etl.connection_retries,
        )
    analyzed = analyze_after(context, settings, table.name, parameters.queue) if parameters.analyze else "not asked for"
    return _result(attempts[-1], files, len(attempts), analyzed)


def make_plan(parameters: UpsertParameters, table: Table, files: LoadInput | None) -> MergePlan:
    """Decide what will be done.

    Raises:
        ParameterError: no key, or one that is not loaded.
        SchemaMismatch: the files hold other columns than the definition.
    """
    columns = load_columns(table, parameters.columns or (files.columns if files else None))
    keys = parameters.keys or table.key
    if not keys:
        raise ParameterError(f"--keys: the definition of {table.name} has no primary key; name the columns of the key")
    if absent := [key for key in keys if key not in columns]:
        raise ParameterError(f"--keys: {absent[0]!r} is not a column that is loaded into {table.name}")
    if shapeless := [key for key in keys if not table.column(key).type.orderable]:
        raise ParameterError(f"--keys: {shapeless[0]!r} is {table.column(shapeless[0]).type}, which cannot be compared")
    return MergePlan(
        table=table,
        columns=columns,
        keys=keys,
        order=winner_terms(table, columns, keys, parameters.order_by),
        null_keys=parameters.null_keys,
        delete_existing=parameters.delete_existing,
        allow_empty=parameters.allow_empty,
        check_rows=parameters.check_rows,
        check_keys=parameters.check_keys,
        tolerance=parameters.tolerance,
        on_drift=parameters.drift_policy,
    )


@contextmanager
def _input(store: S3Store, parameters: UpsertParameters, settings: Settings) -> Iterator[LoadInput | None]:
    if not parameters.input:
        yield None
        return
    with open_input(store, parameters.input, workspace_of(settings)) as files:
        yield files


def _fill(parameters: UpsertParameters, settings: Settings, plan: MergePlan, files: LoadInput | None) -> Fill:
    if files is None:
        return filled_from_warehouse(plan, parameters.source_table, parameters.source_sql)
    options = parameters.copy_options(files.format)
    check_digits(plan.table, plan.columns, files, options)
    return filled_from_files(plan, warehouse_of(settings), files, options)


def _checks(parameters: UpsertParameters, settings: Settings, plan: MergePlan, files: LoadInput | None) -> list[Check]:
    if parameters.compare_with is None:
        return []
    keys = parameters.compare_keys or plan.keys
    check_known(parameters.compare_with, settings)
    types_of(plan.table, plan.columns, keys)
    cut = files is not None and not parameters.copy_options(files.format).rounds
    rounding = ROUND_DOWN if cut else ROUND_HALF_UP  # INSERT … SELECT rounds
    return [SourceComparison(parameters.compare_with, settings, keys, parameters.sample_size, rounding)]


def _result(merge: Merge, files: LoadInput | None, attempts: int, analyzed: str) -> StepResult:
    counts = merge.counts
    details: dict[str, Any] = {
        "table": str(merge.plan.table.name),
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
        "duplicates_dropped": counts.duplicates,
        "deleted": counts.deleted,
        "inserted": counts.inserted,
        "target_rows": counts.after if merge.plan.check_rows or merge.plan.check_keys else None,
        "checks": [
            {"check": report.check, "success": report.success, "error_rate": report.error_rate, **report.counts}
            for report in merge.reports
        ],
        "analyze": analyzed,
    }
    return StepResult(rows=counts.inserted, bytes=files.bytes if files else None, details=details)


STEP = Step(
    name="upsert",
    summary="Merge rows from files or from the warehouse into a Redshift table, checked before the commit.",
    parameters=UpsertParameters,
    run=run,
)
