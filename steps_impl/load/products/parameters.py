"""Parameters that every load into a product's database has."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from steps_impl.registry import Parameters

#: Modes that look rows up by a key.
KEYED = frozenset({"insert-ignore", "upsert", "delete-insert"})


class FileParameters(Parameters):
    """Where the files are and how they are written."""

    input: tuple[str, ...] = Field(
        default=(),
        description="what to load: a manifest, a directory or a file, in S3 or on this machine; several are loaded "
        "together; default: $INPUT1_STAGING_DIR; gzip, zstd and bzip2 are told by the files themselves",
    )
    input_format: Literal["tsv", "csv", "json"] | None = Field(
        default=None,
        description="tsv: tabs with backslash escapes; csv: commas with double quotes (RFC 4180); json: an object a "
        "line; default: as the manifest of an extract says, else tsv",
    )
    null_as: str | None = Field(
        default=None, description="a text that stands for NULL, beside \\N; a value in quotes is never NULL"
    )
    ignore_header: int = Field(default=0, ge=0, description="records to skip at the top of each file (not json)")
    columns: tuple[str, ...] = Field(
        default=(),
        description="columns that the files hold, in order; default: as the manifest says, else those of the table",
    )


class DatabaseLoadParameters(FileParameters):
    """How the rows meet those that are there."""

    table: str = Field(min_length=1, description="the table, which must be there; with its database or schema or not")
    mode: Literal["append", "insert-ignore", "upsert", "delete-insert", "replace"] = Field(
        default="append",
        description="append: add the rows, once per load (see --load-id); insert-ignore: add rows whose key is new; "
        "upsert: change rows whose key is there, add the others; delete-insert: delete the rows that have one of the "
        "keys, then add all; replace: the table holds these rows only",
    )
    keys: tuple[str, ...] = Field(default=(), description="columns that identify a row; default: the primary key")
    duplicates: Literal["last", "first", "fail"] = Field(
        default="last",
        description="which of several rows with one key wins, in the order of the files, or that none may be there; "
        "append refuses them if the table does, and so does replace unless this is given",
    )
    order_by: str | None = Field(
        default=None,
        description="which of several rows with one key wins: the first in this order, e.g. 'updated_at DESC, id'; "
        "NULL loses; ties are left to --duplicates",
    )
    allow_empty: bool = Field(default=False, description="let replace empty the table when there are no rows")
    lock_timeout: int = Field(
        default=60, ge=1, le=86_400, description="seconds to wait for somebody else's lock; then nothing is changed"
    )
    load_id: str | None = Field(
        default=None,
        max_length=1000,
        description="append: what this load is called; one that is done is not done again. Default: the instance of "
        "the task; by hand, the names and sizes of the files",
    )
    load_records: str = Field(
        default="ductrunner_loads", description="append: the table, beside the target, that keeps which loads are done"
    )

    @field_validator("keys", "columns")
    @classmethod
    def _named_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        stripped = tuple(name.strip() for name in names)
        if len({name.lower() for name in stripped}) < len(stripped):
            raise ValueError("names a column twice")
        return stripped

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.mode == "append" and (self.keys or self.order_by or "duplicates" in self.model_fields_set):
            raise ValueError("append looks at no keys; use insert-ignore, upsert or delete-insert")
        return self

    @property
    def chooses(self) -> bool:
        """Whether rows with one key are looked for among the files before any goes into the table."""
        stated = self.order_by is not None or "duplicates" in self.model_fields_set
        return self.mode in KEYED or (self.mode == "replace" and stated)
