r"""``extract-rds``: a MySQL table or query to files in S3 or a directory, with a manifest.

All rows are read in one consistent snapshot and streamed: memory does not grow with the table. TIMESTAMPs are in
UTC. What the formats look like and with which COPY options they load::

    tsv      DELIMITER '\t' ESCAPE NULL AS '\N'    Postgres: FORMAT text
    csv      CSV NULL AS '\N'                      Postgres: FORMAT csv, NULL '\N'
    json     FORMAT AS JSON 'auto ignorecase'      one object a line; decimals and integers are numbers
    parquet  FORMAT AS PARQUET                     needs ductrunner[arrow]
    avro     FORMAT AS AVRO 'auto ignorecase'      needs ductrunner[arrow]; see --avro-types

(add ``GZIP`` or ``ZSTD`` for compressed text). NULL, the empty text, ``NULL`` and ``\N`` stay four different things.
Unsigned BIGINT, TIME beyond 24 hours and DECIMAL of 65 digits are written digit by digit; FLOAT with all the digits of
its value; BIT as a number; BLOB and BINARY in hexadecimal. GEOMETRY is refused by name. TINYINT(1) is a number, which
COPY of Parquet and Avro refuses for BOOLEAN: name such columns with ``--booleans``. JSON is a text; SUPER takes it as
an object from ``--output-format json --json-columns nested``.

The output appears as a whole: files get names of their own for each run (``part-<run>-0000.tsv.gz``), the file
``manifest`` is replaced last, and then the files of the former manifest are deleted. A run that fails removes its
files and leaves the former output as it was. In S3 the manifest's urls are ``s3://`` addresses; in a local directory
they are names relative to it. An empty table gives one empty file, because COPY refuses a manifest without files.

Several files are even in rows (they differ by one at the most) and, as chunks of rows are dealt out to them, in bytes;
no record is cut. The order of rows is that of the source only where there is one file and one connection.

A whole table of a transactional engine is also counted in the same snapshot; another number of rows than that is a
failure. A connection that breaks in the middle is a failure, never a short file.

``--cursor-column``: the first run reads all rows and keeps the greatest value (the mark); the next ones read what
has come since. The bound is fixed in the snapshot of the rows, and the mark is set after the manifest: a run that dies
before reads the same rows again. Rows that come later with the very value of the mark, or with one within
``--look-back`` below it (a transaction that was open when the mark was set), are recognised by digests and read once.
More than 100,000 rows at the edge are kept as a number and a sum only: when that changes, all of them are read again.
Of several runs that began from one mark one publishes and the others fail: it is locked meanwhile, in S3 by the object
``<mark>.lock``, which outlives a run that is killed in this moment by 30 seconds.
A run with the ``--run-key`` of the last one reads the same range again. Each run replaces the output of the one before:
load it before the next one, or give each run an output of its own and a common ``--state``.

``--parallel``: all connections see one state. It is fixed while a READ lock on the tables stands for a moment, which
waits up to 30 seconds for open transactions that have written to them; needs the right LOCK TABLES, which RDS grants. A
query is read by one connection, and the result says why, where it cannot be told what it reads: of views or of tables
without snapshots, or of a table twice by one name. The ranges hold equally many rows; rows without a key go with the
first.
"""

from __future__ import annotations

from contextlib import ExitStack, closing
from difflib import get_close_matches
from typing import Self

from pydantic import Field, field_validator, model_validator

from core.errors import ParameterError
from core.sections.databases import MySqlHost
from core.settings import Settings, load_settings
from steps_impl.contract import StepContext, StepResult
from steps_impl.extract.codecs import TYPED
from steps_impl.extract.extraction import Extraction
from steps_impl.extract.mysql_origin import MySqlOrigin
from steps_impl.extract.outputs import open_output
from steps_impl.extract.parameters import SqlExtractParameters
from steps_impl.extract.policies import Binary, NulBytes, Policies, ZeroDates
from steps_impl.extract.publishing import place_of
from steps_impl.extract.query import Typing
from steps_impl.registry import Step


class ExtractRdsParameters(SqlExtractParameters):
    """What is read, how it is written and where to."""

    host_name: str = Field(description="alias of the server: a key of the configuration's mysql section")
    zero_dates: ZeroDates = Field(
        default="fail",
        description="dates with a zero year, month or day: refuse, write NULL, or write as they are (text formats, and "
        "Avro's texts)",
    )
    nul_bytes: NulBytes = Field(default="fail", description="NUL bytes (0x00) in text: refuse, or leave them out")
    binary: Binary = Field(
        default="hex",
        description="BLOB and BINARY columns: write in hexadecimal, as bytes (Parquet and Avro), or refuse",
    )
    booleans: tuple[str, ...] = Field(
        default=(),
        description="columns of 0 and 1 that are booleans in the files and in their manifest, any other value refused: "
        "names, or tinyint(1) and bit(1) for all of a table's columns that have this type; default: numbers",
    )
    verify_count: bool = Field(
        default=True, description="count the rows of a table in the same snapshot and compare (transactional engines)"
    )

    @field_validator("booleans")
    @classmethod
    def _in_small_letters(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name.strip().lower() for name in names)

    @model_validator(mode="after")
    def _format_holds_it(self) -> Self:
        if self.binary == "raw" and self.output_format not in TYPED:
            raise ValueError("--binary raw needs --output-format parquet or avro")
        if self.zero_dates == "keep" and self.has_dates:
            raise ValueError("--zero-dates keep: these files have no such dates; choose null, or another format")
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
    with ExitStack() as stack:
        output = stack.enter_context(closing(open_output(place_of(parameters.output, context))))
        origin = MySqlOrigin(
            host,
            parameters,
            context,
            stack,
            retries=settings.etl.connection_retries,
            typing=Typing(parameters.binary == "raw", parameters.json_columns == "nested", parameters.booleans),
        )
        policies = [_policies(parameters, origin) for _ in range(origin.parallel)]
        origin.prepare(policies)
        source = {
            "host": parameters.host_name,
            "database": origin.connection.database,
            "table": parameters.table,
        }
        result = Extraction(parameters, context, origin, output, source, verify=parameters.verify_count).run()
    counts = {
        "zero_dates_nulled": sum(one.zero_dates_nulled for one in policies),
        "nul_bytes_removed": sum(one.nul_bytes_removed for one in policies),
    }
    alone = {"one_connection_because": origin.alone_because} if origin.alone_because else {}
    return StepResult(result.rows, result.bytes, {**result.details, **counts, **alone})


def _policies(parameters: ExtractRdsParameters, origin: MySqlOrigin) -> Policies:
    return Policies(
        origin.query.columns,
        zero_dates=parameters.zero_dates,
        nul_bytes=parameters.nul_bytes,
        binary=parameters.binary,
        booleans=[place for place, column in enumerate(origin.relation.columns) if column.base == "boolean"],
    )


def _host(settings: Settings, alias: str) -> MySqlHost:
    if alias in settings.mysql:
        return settings.mysql[alias]
    close = get_close_matches(alias, settings.mysql, n=1, cutoff=0.5)
    hint = f", did you mean {close[0]!r}?" if close else ""
    raise ParameterError(f"--host-name: the configuration's mysql section has no {alias!r}{hint}")


STEP = Step(
    name="extract-rds",
    summary="Read a MySQL table or query and write it to S3 or a directory as files with a manifest.",
    parameters=ExtractRdsParameters,
    run=run,
)
