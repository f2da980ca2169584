"""``create-update-sql``: SQL that fills or changes a warehouse table, which is made first if it is missing.

Dataduct's step of that name (executors/runner, sql_runner): table, grants and script are one transaction, so that a
script that fails leaves nothing behind. Unlike there, the statistics are renewed in a transaction that is committed.
"""

from __future__ import annotations

from contextlib import nullcontext

from pydantic import ConfigDict, Field

from core.errors import ParameterError
from core.settings import Settings, load_settings
from steps_impl.activities.sql.execution import execute_all
from steps_impl.activities.sql.places import bind_places
from steps_impl.activities.sql.script import Piece, split_script
from steps_impl.activities.sql.source import is_in_s3, read_script
from steps_impl.activities.sql.transactions import inside_one, runs_as_one
from steps_impl.contract import StepContext, StepResult
from steps_impl.registry import Step
from steps_impl.tables.catalog import actual_columns, create_statements
from steps_impl.tables.definition import read_definition
from steps_impl.tables.model import Table
from steps_impl.warehouse.maintenance import Maintenance, MaintenanceParameters
from steps_impl.warehouse.target import warehouse_of
from stores.redshift import Session, run_session
from stores.s3 import S3Store


class CreateUpdateParameters(MaintenanceParameters):
    """Parameters of ``create-update-sql``."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    table_definition: str = Field(description="the table, as CREATE TABLE: a file, s3://bucket/key, or the text itself")
    sql: str = Field(description="the script: its text, `s3://bucket/key`, or a file as `file:PATH`")
    arguments: tuple[str, ...] = Field(default=(), description="values of the `%s` in the script, in their order")
    non_transactional: bool = Field(default=False, description="each statement is its own transaction")
    allow_commits: bool = Field(
        default=False,
        description="let the script commit in between (TRUNCATE, a COMMIT of its own), as Dataduct did; else refused",
    )
    queue: str | None = Field(default=None, description="query group, which chooses the queue of the warehouse")


def run(parameters: CreateUpdateParameters, context: StepContext) -> StepResult:
    """Create the table if it is missing, run the script, renew the statistics.

    Raises:
        ParameterError: the script is empty, cannot be one transaction, or has other places than arguments.
        StoreError: the warehouse refuses; unless ``non_transactional``, everything is as it was before.
    """
    settings = load_settings(environment=context.environment)
    store = S3Store(region=settings.etl.region)
    table = read_definition(parameters.table_definition, store)
    pieces, together = _pieces(parameters, store)
    statements = bind_places([piece.text for piece in pieces], parameters.arguments, {})

    def work(session: Session) -> tuple[bool, int]:
        with session.transaction() if together else nullcontext():
            created = _create_if_missing(session, table, settings)
            return created, execute_all(session, statements, context)

    created, rows = run_session(
        warehouse_of(settings),
        work,
        cancelled=context.cancelled,
        query_group=parameters.queue,
        connection_retries=settings.etl.connection_retries,
        attempts=8 if together else 1,
    )
    maintained = Maintenance(parameters, settings, context, parameters.queue).after(table.name, rows)
    details = {"table": str(table.name), "created": created, "statements": len(statements), **maintained}
    return StepResult(rows=rows, details={**details, "one_transaction": together})


def _pieces(parameters: CreateUpdateParameters, store: S3Store) -> tuple[list[Piece], bool]:
    """Return the statements, and whether they are run in one transaction with the making of the table."""
    pieces = split_script(_script(parameters.sql, store), "redshift")
    if not pieces:
        raise ParameterError("the script holds no statement")
    if parameters.non_transactional:
        return pieces, False
    if parameters.allow_commits:
        return pieces, runs_as_one(pieces, "redshift")
    return inside_one(pieces, "redshift", otherwise="--non-transactional", alone=False), True


def _script(source: str, store: S3Store) -> str:
    return read_script(source, store) if is_in_s3(source) or source.startswith("file:") else source


def _create_if_missing(session: Session, table: Table, settings: Settings) -> bool:
    if actual_columns(session, table.name):
        return False
    for statement in create_statements(table, settings.database):
        session.execute(statement)
    return True


STEP = Step(
    name="create-update-sql",
    summary="Create a Redshift table if it is missing and run a script on it, as one transaction.",
    parameters=CreateUpdateParameters,
    run=run,
)
