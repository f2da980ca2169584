"""The step ``history``: the states of a Redshift table, kept as a slowly changing dimension of type 2.

What ``upsert`` and ``reload`` do with ``--history``, for a table that others change. One transaction behind the locks
of both tables; a second run changes nothing.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from pydantic import Field, field_validator

from core.errors import NotFound, ParameterError
from core.settings import Settings, load_settings
from steps_impl.contract import StepContext, StepResult
from steps_impl.registry import Step
from steps_impl.tables.definition import read_definition
from steps_impl.tables.model import Table
from steps_impl.warehouse.history_plan import HistoryPlan, plan_history
from steps_impl.warehouse.maintenance import Maintenance, MaintenanceParameters
from steps_impl.warehouse.recording import record
from steps_impl.warehouse.target import settle, take_hold_of_all, warehouse_of
from stores.redshift import Session, run_session
from stores.s3 import S3Store


class HistoryStepParameters(MaintenanceParameters):
    """Parameters of ``history``."""

    table_definition: str = Field(
        description="the table whose states are kept, as CREATE TABLE: a file, s3://bucket/key, or the text itself"
    )
    history: str = Field(
        description="the definition of the history table, which has the columns of the table, effective_ts and "
        "expiration_ts; it is created if it is missing"
    )
    history_ignore: tuple[str, ...] = Field(default=(), description="columns whose change alone makes no new version")
    keys: tuple[str, ...] = Field(
        default=(), description="columns that identify a row; default: the definition's primary key"
    )
    null_keys: Literal["fail", "match"] = Field(
        default="fail", description="rows with NULL in a key: refuse, or take NULL as equal to NULL"
    )
    allow_empty: bool = Field(
        default=False, description="let a table without rows end every version (else it is refused)"
    )
    queue: str | None = Field(default=None, description="query group, which chooses the queue of the warehouse")

    @field_validator("keys", "history_ignore")
    @classmethod
    def _small_letters(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name.strip().lower() for name in names)


def run(parameters: HistoryStepParameters, context: StepContext) -> StepResult:
    """Record the table's rows and return what happened, in versions."""
    settings = load_settings(environment=context.environment)
    store = S3Store(region=settings.etl.region)
    table, history = (read_definition(text, store) for text in (parameters.table_definition, parameters.history))
    plan = _plan(parameters, table, history)
    details = run_session(
        warehouse_of(settings),
        lambda session: _record(session, plan, settings, context),
        cancelled=context.cancelled,
        query_group=parameters.queue,
        connection_retries=settings.etl.connection_retries,
    )
    ended = details["changed"] + details["vanished"]  # an UPDATE leaves the former row to VACUUM
    maintained = Maintenance(parameters, settings, context, parameters.queue).after(history.name, ended)
    return StepResult(rows=details["opened"], details={**details, **maintained})


def _plan(parameters: HistoryStepParameters, table: Table, history: Table) -> HistoryPlan:
    keys = parameters.keys or table.key
    if not keys:
        raise ParameterError(f"--keys: the definition of {table.name} has no primary key; name the columns of the key")
    if wrong := [key for key in keys if not table.has(key) or not table.column(key).type.orderable]:
        raise ParameterError(f"--keys: {wrong[0]!r} is not a column of {table.name} that can be compared")
    match_nulls = parameters.null_keys == "match"
    ignored, empty = parameters.history_ignore, parameters.allow_empty
    return plan_history(table, history, keys, ignored, match_nulls=match_nulls, allow_empty=empty)


def _record(session: Session, plan: HistoryPlan, settings: Settings, context: StepContext) -> dict[str, Any]:
    there = {table: settle(session, table).exists for table in (plan.table, plan.history)}
    if not there[plan.table]:
        raise NotFound(f"table {plan.table.name}, whose states are to be kept, is not there; load it first")
    with session.transaction():
        created = take_hold_of_all(session, there, settings)
        context.reporter.progress("history")
        counts = record(session, plan)
    names = {"table": str(plan.table.name), "history": str(plan.history.name)}
    return {**names, "created": created[1], **asdict(counts)}


STEP = Step(
    name="history",
    summary="Keep the former states of a Redshift table's rows in a history table (slowly changing dimension, type 2).",
    parameters=HistoryStepParameters,
    run=run,
)
