r"""``extract-dynamodb``: a DynamoDB table to files in S3 or a directory, with a manifest.

The table is scanned in segments side by side, at a share of its read capacity that all of them keep together; each
segment with items becomes one file. A scan is no snapshot: items that are written meanwhile are there or not.

    json           one plain object a line; numbers with all their digits, sets as lists, binary values in base64
    dynamodb-json  {"id": {"S": "x"}} a line: nothing is lost, and load-dynamodb reads it back
    tsv, csv       rows of the attributes that --columns names, for COPY; sets and documents as JSON texts

The output appears as a whole, as with all extracts: the file ``manifest`` is replaced last, and then the files of
former runs are deleted. A run that fails removes its files and leaves the former output as it was.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from core.cancelling import on_cancel
from core.errors import UnsupportedValue
from core.sections.activities import DynamoDbSettings
from core.settings import load_settings
from steps_impl.activities.dynamodb.segments import for_each_segment
from steps_impl.activities.dynamodb.shares import scan_of
from steps_impl.activities.dynamodb.tally import Tally
from steps_impl.contract import StepContext, StepResult
from steps_impl.extract.codecs import FileKind, Unsupported, file_kind
from steps_impl.extract.items import ItemsFormat, lines_of
from steps_impl.extract.manifest import Entry, Part
from steps_impl.extract.open_part import OpenPart
from steps_impl.extract.outputs import open_output
from steps_impl.extract.publishing import described, place_of
from steps_impl.extract.runs import Run
from steps_impl.registry import Parameters, Step
from stores.dynamodb import DynamoDB, Item, Scan


class ExtractDynamoDbParameters(Parameters):
    """What is read, how it is written and where to."""

    table: str = Field(min_length=1, description="name of the table")
    region: str | None = Field(default=None, description="region of the table; default: this machine's")
    output: str | None = Field(
        default=None, description="s3://bucket/prefix/ or a directory; default: $OUTPUT1_STAGING_DIR"
    )
    output_format: ItemsFormat = Field(default="json", description="format of the files")
    compression: Literal["gzip", "zstd", "none"] = Field(default="gzip", description="compression of the files")
    columns: tuple[str, ...] | None = Field(
        default=None, min_length=1, description="the attributes that are written; tsv and csv: in this order"
    )
    segments: int | None = Field(
        default=None, ge=1, le=10_000, description="parts of the scan; default: one for 256 MB, four at the least"
    )
    read_ratio: float = Field(
        default=0.5, gt=0, le=1.5, description="share of the table's read capacity that is used at the most"
    )
    consistent_read: bool | None = Field(
        default=None,
        description="read what was written just before, for twice the capacity; default: dynamodb.consistent_read",
    )

    @model_validator(mode="after")
    def _has_columns(self) -> Self:
        if self.output_format in ("tsv", "csv") and not self.columns:
            raise ValueError(f"--output-format {self.output_format} needs --columns")
        if self.columns is not None and len(set(self.columns)) < len(self.columns):
            raise ValueError("--columns names one twice")
        return self

    @property
    def kind(self) -> FileKind:
        """What the files are."""
        form: Literal["json", "tsv", "csv"] = "json" if self.output_format == "dynamodb-json" else self.output_format
        return file_kind(form, self.compression, (), Unsupported(null=False))

    @property
    def elements(self) -> list[dict[str, Any]] | None:
        """The columns as a manifest has them."""
        if self.output_format not in ("tsv", "csv"):
            return None
        return [{"name": name, "type": {"base": "character varying"}} for name in self.columns or ()]


@dataclass(frozen=True)
class _Extract:
    """One scan into the files of one run."""

    parameters: ExtractDynamoDbParameters
    scan: Scan
    run: Run
    tally: Tally

    def parts(self, concurrency: int) -> list[Part]:
        """Write a file for each segment that has items, one without rows if none has."""
        written = for_each_segment(self.scan, self._segment, self.tally.tell, concurrency)
        parts = [part for part in written if part is not None]
        return parts or [self._open(0).close()]

    def _segment(self, number: int) -> Part | None:
        part: OpenPart | None = None
        lines = lines_of(self.parameters.output_format, self.parameters.columns)
        try:
            for page in self.scan.pages(number):
                if page:
                    part = part or self._open(number)
                    self._write(part, page, lines(page))
            return part.close() if part else None
        except BaseException as error:
            if part is not None:
                part.abandon(error)
            if isinstance(error, UnsupportedValue):
                raise UnsupportedValue(f"table {self.scan.table.name}: {error}") from None
            raise

    def _write(self, part: OpenPart, page: list[Item], text: bytes) -> None:
        part.write(text, len(page), len(text))
        self.tally.count(len(text), items=len(page))

    def _open(self, number: int) -> OpenPart:
        kind = self.parameters.kind
        return OpenPart(self.run.output, self.run.name(f"{number:04d}.{kind.extension}"), kind.codec(0))


def run(parameters: ExtractDynamoDbParameters, context: StepContext) -> StepResult:
    """Scan the table, publish the manifest, and return items and bytes.

    Raises:
        ParameterError: no output is known.
        NotFound: there is no such table.
        UnsupportedValue: an item has what the format cannot hold.
        StoreError: DynamoDB or the output failed.
        InterruptedError: the step was cancelled; its files are removed.
    """
    settings = load_settings(environment=context.environment).dynamodb
    with (
        closing(open_output(place_of(parameters.output, context))) as output,
        DynamoDB(parameters.region) as database,
        on_cancel(context.cancelled, database.cancel),
        Run(output, context.cancelled) as files,
    ):
        scan = _scan(database, parameters, settings)
        tally = Tally(context.reporter, "scan")
        parts = _Extract(parameters, scan, files, tally).parts(settings.concurrency)
        files.demand(len(parts))
        entries = [Entry(output.url(part.name), part.bytes, part.rows) for part in parts]
        leftovers = files.publish(entries, parameters.elements, _about(parameters))
        details = {**described(output, len(parts), leftovers), "segments": scan.segments}
        return StepResult(rows=tally.items, bytes=sum(part.bytes for part in parts), details=details)


def _scan(database: DynamoDB, parameters: ExtractDynamoDbParameters, settings: DynamoDbSettings) -> Scan:
    table = database.describe(parameters.table)
    if parameters.consistent_read is not None:
        settings = settings.model_copy(update={"consistent_read": parameters.consistent_read})
    return scan_of(database, table, parameters.read_ratio, settings, parameters.segments)


def _about(parameters: ExtractDynamoDbParameters) -> dict[str, Any]:
    return {
        "host": "dynamodb",
        "table": parameters.table,
        "format": parameters.output_format,
        "compression": parameters.compression,
    }


STEP = Step(
    name="extract-dynamodb",
    summary="Scan a DynamoDB table and write it to S3 or a directory as JSON, TSV or CSV with a manifest.",
    parameters=ExtractDynamoDbParameters,
    run=run,
)
