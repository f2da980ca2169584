"""The step ``load-postgres``: files into a Postgres table, with COPY, visible at once or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace as changed
from functools import cache, partial
from typing import Any, Literal

from pydantic import Field

from core.cancelling import on_cancel
from core.errors import SettingsError
from core.sections.databases import PostgresSettings
from core.settings import Settings, load_settings
from steps_impl.activities.copying.feed import Feed
from steps_impl.activities.copying.lines import Chunk
from steps_impl.activities.copying.rows import Rows
from steps_impl.contract import StepContext, StepResult
from steps_impl.load.manifest import LoadInput
from steps_impl.load.products.columns import chosen
from steps_impl.load.products.identity import name_of
from steps_impl.load.products.inputs import addresses_of, find_files, s3_store
from steps_impl.load.products.parameters import DatabaseLoadParameters
from steps_impl.load.products.postgres_append import append
from steps_impl.load.products.postgres_load import PostgresLoad
from steps_impl.load.products.postgres_modes import merge, replace
from steps_impl.load.products.postgres_table import look
from steps_impl.load.products.rows import file_format, read_ahead, read_rows
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
    s3 = cache(partial(s3_store, settings.etl.region))
    source = find_files(addresses_of(parameters.input, context.environment), s3)
    with connect(server, settings.etl.connection_retries) as target, on_cancel(context.cancelled, target.cancel):
        table = look(target, parameters.table)
        where = f"{target.where}, table {table}"
        made = [column.name for column in table.columns if column.generated]
        writable = [column.name for column in table.columns if not column.generated]
        columns = chosen(parameters.columns or source.columns, writable, made, where)
        chunks = read_ahead(read_rows(source.files, file_format(parameters, source, columns), s3))
        rows = Rows(_without_nul(chunks) if parameters.nul_bytes == "remove" else chunks, columns)
        feed = Feed(rows, context, nul="Postgres")
        feed.require_width(len(columns), f"the table {table}")
        counts = _load(PostgresLoad(parameters, target, table, columns, rows, feed, context), parameters, source)
    details = {"table": str(table), "mode": parameters.mode, "files": len(source.files), "read": feed.count, **counts}
    return StepResult(rows=feed.count, bytes=feed.bytes, details=details)


def _load(load: PostgresLoad, parameters: LoadPostgresParameters, source: LoadInput) -> dict[str, Any]:
    if parameters.mode == "replace":
        return dict(replace(load, parameters.replace_by))
    if parameters.mode == "append":
        name = name_of(parameters.load_id, load.context.environment, source, str(load.table))
        return dict(append(load, name))
    return dict(merge(load))


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
