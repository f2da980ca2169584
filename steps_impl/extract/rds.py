r"""``extract-rds``: a MySQL table or query to text files in S3 or a directory, with a manifest.

All rows are read in one consistent snapshot and streamed: memory does not grow with the table. TIMESTAMPs are in
UTC. What the formats look like and with which COPY options they load::

    tsv    DELIMITER '\t' ESCAPE NULL AS '\N'    Postgres: FORMAT text
    csv    CSV NULL AS '\N'                      Postgres: FORMAT csv, NULL '\N'

(add ``GZIP`` for compressed files). NULL, the empty text, ``NULL`` and ``\N`` stay four different things. Unsigned
BIGINT, TIME beyond 24 hours and DECIMAL of 65 digits are written digit by digit; FLOAT with all the digits of its
value; BIT as a number; BLOB and BINARY in hexadecimal. GEOMETRY is refused by name.

The output appears as a whole: files get names of their own for each run (``part-<run>-0000.tsv.gz``), the file
``manifest`` is replaced last, and then the files of the former manifest are deleted. A run that fails removes its
files and leaves the former output as it was. In S3 the manifest's urls are ``s3://`` addresses; in a local directory
they are names relative to it. An empty table gives one empty file, because COPY refuses a manifest without files.

A whole table of a transactional engine is also counted in the same snapshot; another number of rows than that is a
failure. A connection that breaks in the middle is a failure, never a short file.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from difflib import get_close_matches
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from core.cancelling import on_cancel
from core.errors import ParameterError, StoreError
from core.settings import MySqlHost, Settings, load_settings
from steps_impl.contract import StepContext, StepResult
from steps_impl.extract import query
from steps_impl.extract.manifest import Part
from steps_impl.extract.outputs import Output, open_output
from steps_impl.extract.parts import Compression, PartWriter, even_sizes
from steps_impl.extract.policies import Binary, NulBytes, Policies, ZeroDates
from steps_impl.extract.publishing import new_run_id, outcome, place_of, publish
from steps_impl.extract.rows import RowStream
from steps_impl.formats import FORMATS
from steps_impl.registry import Parameters, Step
from stores.mysql import Connection, connect


class ExtractRdsParameters(Parameters):
    """What is read, how it is written and where to."""

    host_name: str = Field(description="alias of the server: a key of the configuration's mysql section")
    database: str | None = Field(default=None, description="database; default: the one of the server's entry")
    table: str | None = Field(default=None, description="table or view to read whole; database.table is accepted")
    sql: str | None = Field(default=None, description="SELECT to read instead of a table")
    output: str | None = Field(
        default=None,
        description="s3://bucket/prefix/ or a directory; default: $OUTPUT1_STAGING_DIR",
    )
    output_format: Literal["tsv", "csv"] = Field(default="tsv", description="text format of the files")
    compression: Compression = Field(default="gzip", description="compression of the files")
    splits: int = Field(
        default=1,
        ge=1,
        le=10_000,
        description="number of files, even in rows; a multiple of the warehouse's slices loads fastest",
        json_schema_extra={"unit": "files"},
    )
    zero_dates: ZeroDates = Field(
        default="fail", description="dates with a zero year, month or day: refuse, write NULL, or write as they are"
    )
    nul_bytes: NulBytes = Field(default="fail", description="NUL bytes (0x00) in text: refuse, or leave them out")
    binary: Binary = Field(default="hex", description="BLOB and BINARY columns: write in hexadecimal, or refuse")
    verify_count: bool = Field(
        default=True, description="count a whole table in the same snapshot and compare (transactional engines)"
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.table is None) == (self.sql is None):
            raise ValueError("give either --table or --sql")
        return self


def run(parameters: ExtractRdsParameters, context: StepContext) -> StepResult:
    """Extract, publish the manifest, and return rows, bytes and what the policies changed.

    Raises:
        ParameterError: the host is not configured, or no output is known.
        StoreError: the server or the output failed, or fewer or more rows came than were counted.
        UnsupportedValue: a column or value that a policy refuses, by column and row number.
        InterruptedError: the step was cancelled; its files are removed.
    """
    settings = load_settings()
    host = _host(settings, parameters.host_name)
    with (
        closing(open_output(place_of(parameters.output, context))) as output,
        connect(host, parameters.database, settings.etl.connection_retries) as connection,
        on_cancel(context.cancelled, connection.cancel),
    ):
        connection.begin_snapshot()
        found = _query(parameters, connection)
        stream = RowStream(connection, found, _policies(parameters, found), FORMATS[parameters.output_format])
        parts, leftovers = _write(parameters, context, stream, output)
        return _result(parts, stream, output, leftovers)


def _write(
    parameters: ExtractRdsParameters, context: StepContext, stream: RowStream, output: Output
) -> tuple[list[Part], list[str]]:
    """Write all rows and switch the manifest; return the new files and those of the former run that stayed."""
    expected = _expected(parameters, context, stream)
    sizes = even_sizes(expected or 0, parameters.splits)
    with PartWriter(output, new_run_id(), stream.format.extension, parameters.compression, sizes) as writer:
        stream.copy_to(writer, context)
        if expected is not None and stream.query.countable and stream.rows != expected:
            raise StoreError(
                f"{stream.connection.where}: {stream.rows} rows arrived of {expected} counted; run the step again"
            )
        parts = writer.finish()
        return parts, publish(output, parts, stream.query.elements, _source(parameters, stream))


def _expected(parameters: ExtractRdsParameters, context: StepContext, stream: RowStream) -> int | None:
    if parameters.splits == 1 and not (stream.query.countable and parameters.verify_count):
        return None
    context.reporter.progress("count")
    return query.count_rows(stream.connection, stream.query)


def _policies(parameters: ExtractRdsParameters, found: query.Query) -> Policies:
    return Policies(
        found.columns,
        zero_dates=parameters.zero_dates,
        nul_bytes=parameters.nul_bytes,
        binary=parameters.binary,
    )


def _host(settings: Settings, alias: str) -> MySqlHost:
    if alias in settings.mysql:
        return settings.mysql[alias]
    close = get_close_matches(alias, settings.mysql, n=1, cutoff=0.5)
    hint = f", did you mean {close[0]!r}?" if close else ""
    raise ParameterError(f"--host-name: the configuration's mysql section has no {alias!r}{hint}")


def _query(parameters: ExtractRdsParameters, connection: Connection) -> query.Query:
    if parameters.table is not None:
        return query.whole_table(connection, parameters.table)
    assert parameters.sql is not None
    return query.from_sql(connection, parameters.sql)


def _source(parameters: ExtractRdsParameters, stream: RowStream) -> dict[str, Any]:
    return {
        "host": parameters.host_name,
        "database": stream.connection.database,
        "table": parameters.table,
        "format": parameters.output_format,
        "compression": parameters.compression,
    }


def _result(parts: Sequence[Part], stream: RowStream, output: Output, leftovers: list[str]) -> StepResult:
    details = {
        **outcome(parts, output, leftovers),
        "text_bytes": stream.bytes,
        "zero_dates_nulled": stream.policies.zero_dates_nulled,
        "nul_bytes_removed": stream.policies.nul_bytes_removed,
    }
    return StepResult(rows=stream.rows, bytes=sum(part.bytes for part in parts), details=details)


STEP = Step(
    name="extract-rds",
    summary="Read a MySQL table or query and write it to S3 or a directory as text files with a manifest.",
    parameters=ExtractRdsParameters,
    run=run,
)
