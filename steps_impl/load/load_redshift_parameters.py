"""Parameters of ``load-redshift``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from core.errors import ParameterError
from steps_impl.activities.redshift_copy.exchange import InsertMode
from steps_impl.load.parameters import CopyParameters
from steps_impl.quality.inside_parameters import LoadCheckParameters
from steps_impl.tables.model import TableName
from steps_impl.tables.reader import checked_table_name, read_table_name
from steps_impl.warehouse.maintenance import MaintenanceParameters

_WORDS = {None: None, "none": "", "gzip": "GZIP", "bzip2": "BZIP2", "lzop": "LZOP", "lzo": "LZOP", "zstd": "ZSTD"}


def _in_capitals(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) else value


class LoadRedshiftParameters(LoadCheckParameters, MaintenanceParameters, CopyParameters):
    """Parameters of ``load-redshift``."""

    table: Annotated[str, AfterValidator(checked_table_name)] = Field(description="the table, which has to be there")
    schema_name: Annotated[str, AfterValidator(checked_table_name)] | None = Field(
        default=None, alias="schema", description="its schema; may be part of --table; default: public"
    )
    input: tuple[str, ...] = Field(
        min_length=1, description="what to load: a manifest, a directory or a file in S3; several are loaded together"
    )
    insert_mode: Annotated[InsertMode, BeforeValidator(_in_capitals)] = Field(
        default="TRUNCATE",
        description="TRUNCATE: the table holds these rows only; APPEND: they are added, once for each load; "
        "KEEP_EXISTING: rows with a new key are added; OVERWRITE_EXISTING: rows with the same key are replaced",
    )
    keys: tuple[str, ...] = Field(
        default=(),
        description="columns that rows are matched by; default: the table's primary key, else its other keys",
    )
    load_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=1024,
        description="APPEND: names the load, which is done once; default: the instance of the pipeline",
    )
    max_errors: int = Field(default=0, ge=0, le=100_000, description="rows that may be refused before the load fails")
    compression: Literal["gzip", "bzip2", "lzop", "lzo", "zstd", "none"] | None = Field(
        default=None, description="of the files; default: told by their names"
    )

    @property
    def told_compression(self) -> str | None:
        """See ``CopyParameters``."""
        return _WORDS[self.compression]

    @property
    def refusable(self) -> int:
        """See ``CopyParameters``."""
        return self.max_errors

    @property
    def target(self) -> TableName:
        """The table, with its schema.

        Raises:
            ParameterError: two schemas are named.
        """
        name = read_table_name(self.table)
        schema = read_table_name(self.schema_name) if self.schema_name else None
        if schema and (schema.schema or name.schema not in (None, schema.name)):
            raise ParameterError(f"--schema: {self.schema_name} does not go with --table {self.table}; name one schema")
        return TableName(name.name, name.schema or (schema.name if schema else "public"))

    @property
    def named_keys(self) -> tuple[str, ...]:
        """The columns of ``keys`` as the warehouse stores them."""
        return tuple(key.strip().lower() for key in self.keys)
