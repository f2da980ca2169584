"""The step ``load-postgres``: files into a Postgres table, with COPY, visible at once or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace as changed
from typing import Any, Literal

from pydantic import Field

from core.cancelling import on_cancel
from core.errors import SettingsError
from core.sections.databases import PostgresSettings
from core.settings import Settings, load_settings
from steps_impl.activities.copying.lines import Chunk
from steps_impl.activities.copying.rows import Rows
from steps_impl.contract import StepContext, StepResult
from steps_impl.load.products.append import append
from steps_impl.load.products.files import Files
from steps_impl.load.products.parameters import DatabaseLoadParameters
from steps_impl.load.products.postgres_load import PostgresLoad
from steps_impl.load.products.postgres_modes import merge, replace
from steps_impl.load.products.postgres_records import PostgresRecords
from steps_impl.load.products.postgres_table import look
from steps_impl.registry import Step
from stores.postgres_target import connect


class LoadPostgresParameters(DatabaseLoadParameters):
    """Parameters of ``load-postgres``."""

    database: str | None = Field(default=None, description="database; default: the one of the configuration")
    replace_by: Literal["delete", "truncate"] = Field(
        default="delete",
        description="replace: delete: readers see the former rows until the end; truncate: quicker where there are "
        "many former rows, readers wait for the whole load",
    )
    nul_bytes: Literal["fail", "remove"] = Field(
        default="fail", description="NUL bytes in the files, which no text of Postgres can hold"
    )


def run(parameters: LoadPostgresParameters, context: StepContext) -> StepResult:
    """Load the files.

    Raises:
        ParameterError, SettingsError: the server, the table, a column or the mode does not fit.
        LoadRejected, DataError, CheckFailed: the files; the table is as before.
        StoreError: the server; the table is as before (or, where the answer to a COMMIT was lost, loaded as a whole).
        InterruptedError: the step was cancelled; the table is as before.
    """
    settings = load_settings(environment=context.environment)
    server = _server(settings, parameters)
    files = Files.find(parameters, context, settings.etl.region)
    with connect(server, settings.etl.connection_retries) as target, on_cancel(context.cancelled, target.cancel):
        table = look(target, parameters.table)
        columns = files.columns(table, target.where)
        chunks = files.chunks(columns, lambda: table.documents)
        rows = Rows(_without_nul(chunks) if parameters.nul_bytes == "remove" else chunks, columns)
        feed = files.feed(rows, table, nul="Postgres")
        load = PostgresLoad(parameters, table, columns, rows, feed, context, target)
        ways: dict[str, Callable[[], Mapping[str, Any]]] = {
            "append": lambda: append(load, PostgresRecords(load), files.name(table)),
            "replace": lambda: replace(load, parameters.replace_by),
        }
        counts = ways.get(parameters.mode, lambda: merge(load))()
    return files.result(table, feed, counts)


def _without_nul(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    for chunk in chunks:
        yield changed(chunk, text=chunk.text.replace(b"\0", b"")) if b"\0" in chunk.text else chunk


def _server(settings: Settings, parameters: LoadPostgresParameters) -> PostgresSettings:
    if settings.postgres is None:
        raise SettingsError("the configuration has no postgres section; add one with host, database_name and username")
    if not parameters.database:
        return settings.postgres
    return settings.postgres.model_copy(update={"database_name": parameters.database})


STEP = Step(
    name="load-postgres",
    summary="Load files into a Postgres table: append, insert-ignore, upsert, delete-insert or replace.",
    parameters=LoadPostgresParameters,
    run=run,
)
