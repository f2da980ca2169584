"""Parameters that every extract from an SQL server has."""

from __future__ import annotations

import re
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from core.periods import parse_period
from steps_impl.extract.codecs import Compression, OutputFormat
from steps_impl.registry import Parameters

_NUMBER = re.compile(r"\d{1,38}(\.\d{1,38})?")
_NEEDS_CURSOR = ("state", "look_back", "run_key")


class SqlExtractParameters(Parameters):
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
    cursor_column: str | None = Field(
        default=None,
        description="read only rows whose value here is new since the last run: a column that grows with every change",
    )
    state: str | None = Field(
        default=None,
        description="s3:// address or file of the high-water mark; default: _mark.json in the output",
    )
    look_back: str | None = Field(
        default=None,
        description="how far behind the mark late rows are looked for: a period such as '15 minutes', "
        "a number for number columns",
    )
    null_cursors: Literal["fail", "skip", "always"] = Field(
        default="fail", description="rows without a cursor value: refuse, leave out and count, or read in every run"
    )
    run_key: str | None = Field(
        default=None,
        description="name of this run: the same run again reads the same rows again. Default: "
        "what Data Pipeline runs, without the number of the attempt",
    )
    unsupported_values: Literal["fail", "null"] = Field(
        default="fail",
        description="values that Parquet cannot hold (infinite dates, NaN in NUMERIC): refuse, or write NULL",
    )

    @field_validator("look_back")
    @classmethod
    def _is_a_distance(cls, value: str | None) -> str | None:
        if value is not None and not _NUMBER.fullmatch(value):
            parse_period(value)
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.table is None) == (self.sql is None):
            raise ValueError("give either --table or --sql")
        if self.files is not None and self.splits != 1:
            raise ValueError("give either --files or --splits")
        lonely = [name for name in _NEEDS_CURSOR if getattr(self, name) is not None and not self.cursor_column]
        if lonely:
            raise ValueError(f"--{lonely[0].replace('_', '-')} belongs to --cursor-column")
        return self

    @property
    def file_count(self) -> int:
        """How many files there are to be."""
        return self.files or self.splits
