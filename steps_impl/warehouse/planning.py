"""From the parameters of an upsert to its plan."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import ParameterError
from steps_impl.load.staging import load_columns
from steps_impl.tables.model import Table
from steps_impl.warehouse.history_plan import HistoryPlan, plan_history
from steps_impl.warehouse.merge_parameters import MergeParameters
from steps_impl.warehouse.order import winner_terms
from steps_impl.warehouse.plan import MergePlan, Mode
from steps_impl.warehouse.sources import source_columns
from steps_impl.warehouse.window import Window


@dataclass(frozen=True)
class How:
    """What tells ``upsert``, ``reload`` and ``delta-load`` apart."""

    mode: Mode = "delete-insert"
    delete_existing: bool = False
    allow_empty: bool = False
    window: Window | None = None


def make_plan(
    parameters: MergeParameters,
    how: How,
    table: Table,
    history: Table | None,
    found: tuple[str, ...] | None,
    *,
    files: bool,
) -> MergePlan:
    """Decide what will be done.

    Args:
        parameters: those of the step.
        how: what is special about the step.
        table: the target.
        history: its history, if one is kept.
        found: the columns of the source, as far as it tells them.
        files: whether the source is files.

    Raises:
        ParameterError: no key, one that is not loaded, or a column that does not serve its purpose.
        SchemaMismatch: the source, or the history, does not fit the definition.
    """
    columns = _columns(parameters, table, found, files=files)
    if how.window:
        how.window.check(table, columns)
    keys = stated_keys(parameters, how, table)
    _check_keys(table, columns, keys)
    return MergePlan(
        table=table,
        columns=columns,
        keys=keys,
        order=winner_terms(table, columns, keys, parameters.order_by) if keys else (),
        mode=how.mode,
        null_keys=parameters.null_keys,
        one_row_per_key=parameters.enforce_primary_key,
        delete_existing=how.delete_existing,
        allow_empty=how.allow_empty,
        stage_first=parameters.stage_before_lock,
        straight=files and how.delete_existing and not _needs_staging(parameters, table, columns),
        check_rows=parameters.check_rows,
        check_keys=parameters.check_keys,
        tolerance=parameters.tolerance,
        on_drift=parameters.drift_policy,
        history=_history(parameters, how, table, history, keys),
    )


def _columns(
    parameters: MergeParameters, table: Table, found: tuple[str, ...] | None, *, files: bool
) -> tuple[str, ...]:
    if parameters.columns or files:
        return load_columns(table, parameters.columns or found)
    return source_columns(table, found or ())


def _needs_staging(parameters: MergeParameters, table: Table, columns: tuple[str, ...]) -> bool:
    """Tell whether rows are looked at beside the target, or may have NULL where the target takes none.

    Also where they have values for an IDENTITY column: INSERT takes such, of COPY that is said of EXPLICIT_IDS alone.
    """
    numbered = any(table.column(name).identity for name in columns)
    return numbered or parameters.stage_before_lock or parameters.need_staging or parameters.null_keys == "drop"


def stated_keys(parameters: MergeParameters, how: How, table: Table) -> tuple[str, ...]:
    """Return the key, by the parameters or the definition; empty where all rows go and every staged one comes.

    Raises:
        ParameterError: there is none.
    """
    if how.delete_existing and not parameters.enforce_primary_key and not parameters.keys:
        return ()
    if keys := parameters.keys or table.key:
        return keys
    also = ", or --no-enforce-primary-key, which takes every row" if how.delete_existing else ""
    raise ParameterError(
        f"--keys: the definition of {table.name} has no primary key; name the columns of the key{also}"
    )


def _check_keys(table: Table, columns: tuple[str, ...], keys: tuple[str, ...]) -> None:
    if absent := [key for key in keys if key not in columns]:
        raise ParameterError(f"--keys: {absent[0]!r} is not a column that is loaded into {table.name}")
    if shapeless := [key for key in keys if not table.column(key).type.orderable]:
        raise ParameterError(f"--keys: {shapeless[0]!r} is {table.column(shapeless[0]).type}, which cannot be compared")


def _history(
    parameters: MergeParameters, how: How, table: Table, history: Table | None, keys: tuple[str, ...]
) -> HistoryPlan | None:
    if history is None:
        return None
    return plan_history(
        table,
        history,
        keys,
        parameters.history_ignore,
        match_nulls=parameters.null_keys == "match",
        allow_empty=how.allow_empty,
    )
