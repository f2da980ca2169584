"""Parameters that every extract from an SQL server has."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from steps_impl.extract.codecs import Compression, OutputFormat
from steps_impl.extract.cursor_parameters import CursorParameters


class SqlExtractParameters(CursorParameters):
    """What is read, how it is written and where to."""

    database: str | None = Field(default=None, description="database; default: the one of the server's entry")
    table: str | None = Field(
        default=None, description="table or view to read; database.table or schema.table is accepted"
    )
    sql: str | None = Field(default=None, description="SELECT to read instead of a table")
    output: str | None = Field(
        default=None, description="s3://bucket/prefix/ or a directory; default: $OUTPUT1_STAGING_DIR"
    )
    output_format: OutputFormat = Field(default="tsv", description="format of the files; json is one object a line")
    compression: Compression | None = Field(
        default=None,
        description="compression of the files; default: gzip, in Parquet snappy. Avro takes none and gzip (deflate), "
        "snappy is for Parquet only",
    )
    splits: int = Field(
        default=1,
        ge=1,
        le=10_000,
        description="number of files, even in rows; a multiple of the warehouse's slices loads fastest",
        json_schema_extra={"unit": "files"},
    )
    files: int | None = Field(
        default=None, ge=1, le=10_000, description="another name of splits", json_schema_extra={"unit": "files"}
    )
    parallel: int = Field(
        default=1,
        ge=1,
        le=32,
        description="connections that read at the same time, in one snapshot, each its own range of the key",
        json_schema_extra={"unit": "connections"},
    )
    split_by: str | None = Field(
        default=None, description="column whose ranges are read in parallel; default: the primary key of the table"
    )
    unsupported_values: Literal["fail", "null"] = Field(
        default="fail",
        description="values that Parquet and Avro cannot hold (infinite dates, NaN in NUMERIC): refuse, or write NULL",
    )
    avro_types: Literal["logical", "text"] = Field(
        default="text",
        description="dates, timestamps and decimals in Avro: texts, which every COPY reads, or Avro's logical types",
    )
    json_columns: Literal["text", "nested"] = Field(
        default="text",
        description="JSON columns in json files: a text that holds the JSON, or the value itself, which SUPER takes as "
        "an object (MariaDB tells them in a --table only)",
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.table is None) == (self.sql is None):
            raise ValueError("give either --table or --sql")
        if self.files is not None and self.splits != 1:
            raise ValueError("give either --files or --splits")
        if self.avro_types == "logical" and self.output_format != "avro":
            raise ValueError("--avro-types goes with --output-format avro")
        if self.json_columns == "nested" and self.output_format != "json":
            raise ValueError("--json-columns nested goes with --output-format json")
        return self

    @property
    def has_dates(self) -> bool:
        """Whether the files have a type for dates, so that only days of a calendar are one."""
        return self.output_format == "parquet" or (self.output_format == "avro" and self.avro_types == "logical")

    @property
    def file_count(self) -> int:
        """How many files there are to be."""
        return self.files or self.splits
