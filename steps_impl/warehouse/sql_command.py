"""The step ``sql-command``: a script on the warehouse or another database, by default as one transaction.

Dataduct's step of that name, a SqlActivity whose text it wraps in ``BEGIN; … COMMIT;``. A script that cannot be one
transaction (VACUUM, ALTER TABLE APPEND, a TRUNCATE that commits, transactions of its own) is refused before its first
statement is run.

What a run leaves: as one transaction everything or nothing, whenever it is killed. A run whose COMMIT was done and
whose answer was lost fails all the same, and a rerun runs the script again: write scripts so that a second run changes
nothing. Without the transaction each statement stays that was run before the failure.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Self

from pydantic import ConfigDict, Field, model_validator

from core.errors import ParameterError
from core.settings import load_settings
from steps_impl.activities.servers.configured import configured_server
from steps_impl.activities.servers.server import TITLES, Engine
from steps_impl.activities.sql.execution import execute_all
from steps_impl.activities.sql.places import bind_places
from steps_impl.activities.sql.script import split_script
from steps_impl.activities.sql.source import read_script
from steps_impl.activities.sql.transactions import inside_one
from steps_impl.contract import StepContext, StepResult
from steps_impl.registry import Parameters, Step
from stores.redshift import retry_conflicts
from stores.s3 import S3Store
from stores.sql import Statement


class SqlCommandParameters(Parameters):
    """Parameters of ``sql-command``."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    command: str | None = Field(default=None, description="the SQL itself; or --script")
    script: str | None = Field(default=None, description="where the SQL is: a file or `s3://bucket/key`")
    sql_script: str | None = Field(default=None, description="the same as --command")
    script_arguments: tuple[str, ...] = Field(default=(), description="values of the script's `%s`, in their order")
    named_arguments: dict[str, str] = Field(default={}, description="values of the script's `%(name)s`, by name")
    host_name: str = Field(
        default="redshift", description="where it runs: redshift, postgres, or an alias of the configuration's mysql"
    )
    database: str | None = Field(default=None, description="database there; default: the configuration's")
    queue: str | None = Field(default=None, description="query group, which chooses the queue of the warehouse")
    wrap_transaction: bool = Field(
        default=True, description="run all statements as one transaction; else each is its own"
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(text is not None for text in (self.command, self.script, self.sql_script)) != 1:
            raise ValueError("give exactly one of --command, --script and --sql-script")
        return self


def run(parameters: SqlCommandParameters, context: StepContext) -> StepResult:
    """Run the script and return how many rows it changed or returned, as far as the server says.

    Raises:
        ParameterError: the script is empty, cannot be one transaction, or has other places than values.
        StoreError, InterruptedError: nothing is changed by a script that is one transaction.
    """
    settings = load_settings(environment=context.environment)
    server = configured_server(settings, parameters.host_name, parameters.database)
    if parameters.queue and server.engine != "redshift":
        raise ParameterError(f"--queue is for Redshift; {TITLES[server.engine]} has no query groups")
    statements = _statements(parameters, server.engine, S3Store(region=settings.etl.region))
    together = parameters.wrap_transaction and len(statements) > 1

    def once() -> int:
        with (
            server.open(context.cancelled, parameters.queue, settings.etl.connection_retries) as session,
            session.transaction() if together else nullcontext(),
        ):
            return execute_all(session, statements, context)

    safe = together or len(statements) == 1  # nothing is left of an attempt that met another writer
    rows = retry_conflicts(once, context.cancelled, attempts=8 if safe else 1)
    details = {"host": parameters.host_name, "statements": len(statements), "one_transaction": safe}
    return StepResult(rows=rows, details=details)


def _statements(parameters: SqlCommandParameters, engine: Engine, store: S3Store) -> list[Statement]:
    pieces = split_script(_text(parameters, store), engine)
    if parameters.wrap_transaction:
        pieces = inside_one(pieces, engine)
    if not pieces:
        raise ParameterError("the script holds no statement")
    return bind_places([piece.text for piece in pieces], parameters.script_arguments, parameters.named_arguments)


def _text(parameters: SqlCommandParameters, store: S3Store) -> str:
    if parameters.script is not None:
        return read_script(parameters.script, store)
    return str(parameters.command if parameters.command is not None else parameters.sql_script)


STEP = Step(
    name="sql-command",
    summary="Run an SQL script on Redshift, MySQL or Postgres, by default as one transaction.",
    parameters=SqlCommandParameters,
    run=run,
)
