"""``create-update-sql``: SQL that fills or changes a warehouse table, which is made first if it is missing.

Dataduct's step of that name (executors/runner, sql_runner): table, grants and script are one transaction, so that a
script that fails leaves nothing behind. Unlike there, the statistics are renewed in a transaction that is committed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path

from pydantic import Field

from core.errors import NotFound, ParameterError
from core.settings import Settings, load_settings
from steps_impl.activities.sql.execution import doing, execute_all
from steps_impl.activities.sql.script import split_script
from steps_impl.activities.sql.transactions import runs_as_one
from steps_impl.contract import StepContext, StepResult
from steps_impl.registry import Parameters, Step
from steps_impl.tables.catalog import actual_columns, create_statements
from steps_impl.tables.definition import read_definition
from steps_impl.tables.model import Table
from steps_impl.warehouse.target import analyze_after, warehouse_of
from stores.redshift import Session, Statement, run_session
from stores.s3 import S3Store

_LIMIT = 64 * 1024 * 1024  # bytes of a script
_PLACE = re.compile(r"%(?:%|s)")


class CreateUpdateParameters(Parameters):
    """Parameters of ``create-update-sql``."""

    table_definition: str = Field(description="the table, as CREATE TABLE: a file, s3://bucket/key, or the text itself")
    sql: str = Field(description="the script: its text, `s3://bucket/key`, or a file as `file:PATH`")
    arguments: tuple[str, ...] = Field(default=(), description="values of the `%s` in the script, in their order")
    non_transactional: bool = Field(default=False, description="each statement is its own transaction")
    analyze: bool = Field(default=True, description="renew the planner's statistics afterwards")
    queue: str | None = Field(default=None, description="query group, which chooses the queue of the warehouse")


def run(parameters: CreateUpdateParameters, context: StepContext) -> StepResult:
    """Create the table if it is missing, run the script, renew the statistics.

    Raises:
        ParameterError: the script is empty, or has more or fewer places than there are arguments.
        StoreError: the warehouse refuses; unless ``non_transactional``, everything is as it was before.
    """
    settings = load_settings(environment=context.environment)
    store = S3Store(region=settings.etl.region)
    table = read_definition(parameters.table_definition, store)
    pieces = split_script(_script(parameters.sql, store), "redshift")
    if not pieces:
        raise ParameterError("the script holds no statement")
    statements = list(_statements([piece.text for piece in pieces], parameters.arguments))
    together = not parameters.non_transactional and runs_as_one(pieces, "redshift")

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
    done = analyze_after(context, settings, table.name, parameters.queue) if parameters.analyze else "not asked for"
    details = {"table": str(table.name), "created": created, "statements": len(statements), "analyze": done}
    return StepResult(rows=rows, details={**details, "one_transaction": together})


def _script(source: str, store: S3Store) -> str:
    if source.startswith(("s3://", "s3n://", "s3a://")):
        return store.get_bytes(source, _LIMIT).decode("utf-8-sig")
    if not source.startswith("file:"):
        return source
    try:
        return Path(source.removeprefix("file:")).expanduser().read_text(encoding="utf-8-sig")
    except OSError as error:
        raise NotFound(f"cannot read the script {source}: {error.strerror}") from None


def _statements(texts: Sequence[str], arguments: Sequence[str]) -> Iterator[Statement]:
    """Yield the statements, each with its share of the arguments; without any, ``%`` is nothing special."""
    places = [sum(match[0] == "%s" for match in _PLACE.finditer(text)) for text in texts]
    if arguments and sum(places) != len(arguments):
        raise ParameterError(f"the script has {sum(places)} places (%s), and {len(arguments)} arguments are given")
    used = 0
    for number, (text, count) in enumerate(zip(texts, places, strict=True), start=1):
        taken = tuple(arguments[used : used + count]) if arguments else ()
        plain = text.replace("%%", "%") if arguments and not taken else text
        yield Statement(plain, doing(text, number, len(texts)), taken)
        used += count


def _create_if_missing(session: Session, table: Table, settings: Settings) -> bool:
    if actual_columns(session, table.name):
        return False
    for statement in create_statements(table, settings.database.permissions):
        session.execute(statement)
    return True


STEP = Step(
    name="create-update-sql",
    summary="Create a Redshift table if it is missing and run a script on it, as one transaction.",
    parameters=CreateUpdateParameters,
    run=run,
)
