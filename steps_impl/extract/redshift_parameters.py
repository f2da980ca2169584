"""The parameters of ``extract-redshift``."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from steps_impl.extract.cursor_parameters import CursorParameters
from steps_impl.extract.unload import UnloadCompression, UnloadForm, UnloadFormat
from steps_impl.tables.model import TableName
from steps_impl.tables.reader import checked_table_name, read_table_name


class ExtractRedshiftParameters(CursorParameters):
    """What is read, how it is written and where to."""

    needs_cursor = ("state", "look_back")

    table: str | None = Field(default=None, description="table or view to read whole; schema.table is accepted")
    schema_name: str | None = Field(
        default=None, alias="schema", description="schema of the table; default: the one that search_path finds"
    )
    sql: str | None = Field(default=None, description="SELECT to read instead of a table; it may have a LIMIT")
    output: str | None = Field(
        default=None, description="s3://bucket/prefix/ or a directory; default: $OUTPUT1_STAGING_DIR"
    )
    insert_mode: Literal["TRUNCATE", "OVERWRITE_EXISTING", "KEEP_EXISTING", "APPEND"] = Field(
        default="TRUNCATE", description="what becomes of the rows that are there: see above"
    )
    output_format: UnloadFormat = Field(default="tsv", description="format of the files")
    compression: UnloadCompression | None = Field(
        default=None, description="compression of the files; default: gzip, and none for parquet"
    )
    header: bool = Field(default=False, description="begin each file with the columns' names (tsv and csv)")
    parallel: bool = Field(default=True, description="let each slice write files; else one after the other, in order")
    max_file_size: int | None = Field(
        default=None, ge=5, le=6200, description="largest file", json_schema_extra={"unit": "MB"}
    )
    run_key: str | None = Field(
        default=None,
        description="name of this run: the same run again reads and adds the same rows again. Default: what Data "
        "Pipeline runs, without the number of the attempt; APPEND and KEEP_EXISTING need one of the two",
    )
    queue: str | None = Field(default=None, description="query group, which chooses the queue of the warehouse")

    @field_validator("table", "schema_name")
    @classmethod
    def _a_name(cls, text: str | None) -> str | None:
        return None if text is None else checked_table_name(text)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.table is None) == (self.sql is None):
            raise ValueError("give either --table or --sql")
        if self.schema_name is not None and self.table is None:
            raise ValueError("--schema goes with --table")
        if self.schema_name is not None and read_table_name(self.table or "").schema not in (None, self._schema):
            raise ValueError("--table names another schema than --schema; name one")
        return self

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if self.output_format == "parquet" and self.compression not in (None, "none"):
            raise ValueError("parquet files are compressed inside; leave --compression out")
        if self.header and self.output_format not in ("tsv", "csv"):
            raise ValueError("--header goes with the formats tsv and csv")
        return self

    @property
    def appends(self) -> bool:
        """Whether the rows that are there stay."""
        return self.insert_mode in ("APPEND", "KEEP_EXISTING")

    @property
    def form(self) -> UnloadForm:
        """How the files look."""
        usual: UnloadCompression = "none" if self.output_format == "parquet" else "gzip"
        return UnloadForm(self.output_format, self.compression or usual, self.header, self.parallel, self.max_file_size)

    @property
    def source(self) -> TableName | None:
        """The table, if one is to be read."""
        if self.table is None:
            return None
        name = read_table_name(self.table)
        return TableName(name.name, self._schema or name.schema)

    @property
    def _schema(self) -> str | None:
        return read_table_name(self.schema_name).name if self.schema_name else None
