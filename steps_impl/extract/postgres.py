r"""``extract-postgres``: a Postgres table or query to files in S3 or a directory, with a manifest.

The rows come through ``COPY … TO STDOUT`` in one repeatable-read transaction: as fast as the server sends them, in CSV
and JSON untouched. Formats, manifest, files, mark and ranges are those of ``extract-rds``. ``bytea`` is written in
hexadecimal, times with a zone in UTC; arrays, JSON (see ``--json-columns``), intervals and NUMERIC without a precision
are text. Infinite dates and NaN survive in the text formats and in Avro's texts (NaN and infinities of REAL and DOUBLE
everywhere); see ``--unsupported-values``. Rows whose cursor is infinite count as rows without one.

``--parallel``: the connections take over the snapshot of the first (``pg_export_snapshot``); nothing is locked.
"""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import Literal, Self

from pydantic import Field, model_validator

from core.errors import ParameterError
from core.settings import load_settings
from steps_impl.contract import StepContext, StepResult
from steps_impl.extract.codecs import TYPED, OutputFormat
from steps_impl.extract.extraction import Extraction
from steps_impl.extract.outputs import open_output
from steps_impl.extract.parameters import SqlExtractParameters
from steps_impl.extract.postgres_origin import PostgresOrigin
from steps_impl.extract.publishing import place_of
from steps_impl.registry import Step


class ExtractPostgresParameters(SqlExtractParameters):
    """What is read, how it is written and where to."""

    output_format: OutputFormat = Field(default="csv", description="format of the files; json is one object a line")
    binary: Literal["hex", "raw"] = Field(
        default="hex", description="bytea columns: write in hexadecimal, or as bytes (Parquet and Avro)"
    )

    @model_validator(mode="after")
    def _format_holds_it(self) -> Self:
        if self.binary == "raw" and self.output_format not in TYPED:
            raise ValueError("--binary raw needs --output-format parquet or avro")
        return self


def run(parameters: ExtractPostgresParameters, context: StepContext) -> StepResult:
    """Extract, publish the manifest, and return rows and bytes.

    Raises:
        ParameterError: no postgres section in the configuration, or no output is known.
        StoreError: the server or the output failed.
        UnsupportedValue: a value that Parquet cannot hold, by column and row number.
        InterruptedError: the step was cancelled; its files are removed.
    """
    settings = load_settings()
    if settings.postgres is None:
        raise ParameterError("the configuration has no postgres section; add HOST, DATABASE_NAME, USERNAME, PASSWORD")
    with ExitStack() as stack:
        output = stack.enter_context(closing(open_output(place_of(parameters.output, context))))
        origin = PostgresOrigin(
            settings.postgres,
            parameters,
            context,
            stack,
            retries=settings.etl.connection_retries,
            raw_bytes=parameters.binary == "raw",
        )
        source = {
            "host": "postgres",
            "database": parameters.database or settings.postgres.database_name,
            "table": parameters.table,
        }
        return Extraction(parameters, context, origin, output, source, verify=False).run()


STEP = Step(
    name="extract-postgres",
    summary="Read a Postgres table or query and write it to S3 or a directory as files with a manifest.",
    parameters=ExtractPostgresParameters,
    run=run,
)
