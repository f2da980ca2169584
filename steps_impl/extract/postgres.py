r"""``extract-postgres``: a Postgres table or query to CSV files in S3 or a directory, with a manifest.

The rows come through ``COPY … TO STDOUT`` in one repeatable-read transaction: as fast as the server sends them, and
none of them is touched here. The files load with ``CSV NULL AS '\N'`` (see ``extract-rds``, whose output, manifest
and switch-over this step shares). ``bytea`` is written in hexadecimal; times with a zone are in UTC.
"""

from __future__ import annotations

from contextlib import closing
from typing import Self

from pydantic import Field, model_validator

from core.cancelling import on_cancel
from core.errors import ParameterError, StoreError
from core.settings import load_settings
from steps_impl.contract import StepContext, StepResult
from steps_impl.extract.outputs import open_output
from steps_impl.extract.parts import Compression, PartWriter, even_sizes
from steps_impl.extract.publishing import new_run_id, outcome, place_of, publish
from steps_impl.queries import bare_query
from steps_impl.registry import Parameters, Step
from stores.postgres import Connection, connect, quote_name, quote_table

_OPTIONS = r"(FORMAT csv, NULL '\N', FORCE_QUOTE *)"


class ExtractPostgresParameters(Parameters):
    """What is read, how it is written and where to."""

    database: str | None = Field(default=None, description="database; default: the one of the postgres section")
    table: str | None = Field(default=None, description="table or view to read whole; schema.table is accepted")
    sql: str | None = Field(default=None, description="SELECT to read instead of a table")
    output: str | None = Field(
        default=None, description="s3://bucket/prefix/ or a directory; default: $OUTPUT1_STAGING_DIR"
    )
    compression: Compression = Field(default="gzip", description="compression of the files")
    splits: int = Field(
        default=1, ge=1, le=10_000, description="number of files, even in rows", json_schema_extra={"unit": "files"}
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.table is None) == (self.sql is None):
            raise ValueError("give either --table or --sql")
        return self


def run(parameters: ExtractPostgresParameters, context: StepContext) -> StepResult:
    """Extract, publish the manifest, and return rows and bytes.

    Raises:
        ParameterError: no postgres section in the configuration, or no output is known.
        StoreError: the server or the output failed.
        InterruptedError: the step was cancelled; its files are removed.
    """
    settings = load_settings()
    if settings.postgres is None:
        raise ParameterError("the configuration has no postgres section; add HOST, DATABASE_NAME, USERNAME, PASSWORD")
    with (
        closing(open_output(place_of(parameters.output, context))) as output,
        connect(settings.postgres, parameters.database, settings.etl.connection_retries) as connection,
        on_cancel(context.cancelled, connection.cancel),
    ):
        columns = connection.columns(_source(parameters))
        query = _selection(columns, parameters)
        sizes = even_sizes(_count(parameters, connection), parameters.splits)
        with PartWriter(output, new_run_id(), "csv", parameters.compression, sizes) as writer:
            rows = _copy(connection, query, writer, context)
            parts = writer.finish()
            leftovers = publish(output, parts, _elements(columns), _about(parameters))
        details = outcome(parts, output, leftovers)
        return StepResult(rows=rows, bytes=sum(part.bytes for part in parts), details=details)


def _copy(connection: Connection, query: str, writer: PartWriter, context: StepContext) -> int:
    rows = size = 0

    def write(lines: bytes, count: int) -> None:
        nonlocal rows, size
        rows, size = rows + count, size + len(lines)
        writer.write(lines, count)
        context.reporter.progress("read", rows=rows, bytes=size)

    try:
        sent = connection.copy_out(query, _OPTIONS, write, writer.room)
    except StoreError:
        if context.cancelled.is_set():
            raise InterruptedError("cancelled") from None
        raise
    if sent != rows:
        raise StoreError(f"{connection.where}: {rows} rows arrived of {sent} sent; run the step again")
    return rows


def _source(parameters: ExtractPostgresParameters) -> str:
    if parameters.table is not None:
        return f"SELECT * FROM {quote_table(parameters.table)}"
    return bare_query(parameters.sql or "", "postgres")


def _selection(columns: list[tuple[str, str]], parameters: ExtractPostgresParameters) -> str:
    expressions = [
        f"encode({quote_name(name)}, 'hex') AS {quote_name(name)}" if kind == "bytea" else quote_name(name)
        for name, kind in columns
    ]
    return f"SELECT {', '.join(expressions)} FROM ({_source(parameters)}) AS source_rows"


def _count(parameters: ExtractPostgresParameters, connection: Connection) -> int:
    if parameters.splits == 1:
        return 0
    return int(connection.rows(f"SELECT COUNT(*) FROM ({_source(parameters)}) AS counted")[0][0])


def _elements(columns: list[tuple[str, str]]) -> list[dict[str, object]]:
    return [{"name": name, "type": {"base": kind}} for name, kind in columns]


def _about(parameters: ExtractPostgresParameters) -> dict[str, object]:
    return {
        "host": "postgres",
        "database": parameters.database,
        "table": parameters.table,
        "format": "csv",
        "compression": parameters.compression,
    }


STEP = Step(
    name="extract-postgres",
    summary="Read a Postgres table or query and write it to S3 or a directory as CSV files with a manifest.",
    parameters=ExtractPostgresParameters,
    run=run,
)
