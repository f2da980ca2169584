"""Parameters of the step ``upsert``."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from core.errors import DefinitionError
from steps_impl.load.parameters import LoadParameters
from steps_impl.quality.sides import SourceRelation
from steps_impl.tables.reader import TokenReader
from steps_impl.tables.tokens import Kind, statements_in


class UpsertParameters(LoadParameters):
    """Where the rows come from, how they are merged and what is checked."""

    input: tuple[str, ...] = Field(
        default=(), description="source: a manifest, a directory or a file in S3; several are taken together"
    )
    source_table: str | None = Field(default=None, description="source: a table of the warehouse")
    source_sql: str | None = Field(default=None, description="source: a query in the warehouse")
    keys: tuple[str, ...] = Field(
        default=(), description="columns that identify a row; default: the definition's primary key"
    )
    order_by: str | None = Field(
        default=None,
        description="which of several rows with one key wins: the first in this order, e.g. 'updated_at DESC, id'; "
        "NULL loses; ties, and everything by default: the greatest values of the other columns",
    )
    delete_existing: bool = Field(default=False, description="delete all rows of the target first (a reload)")
    allow_empty: bool = Field(
        default=False, description="let --delete-existing empty the target when the source has no rows (else refused)"
    )
    null_keys: Literal["fail", "match", "drop"] = Field(
        default="fail", description="rows with NULL in a key: refuse, take NULL as equal to NULL, or leave out"
    )
    check_rows: bool = Field(default=True, description="check the row counts from the source to the target")
    check_keys: bool = Field(default=True, description="check that every key is in the target exactly once")
    tolerance: float = Field(
        default=0.0,
        ge=0,
        le=100,
        description="percent of rows that may be lost on the way to staging, or differ in the sample",
    )
    compare_host: str | None = Field(
        default=None,
        description="compare a sample with this source before the commit: an alias of the mysql section, or postgres",
    )
    compare_database: str | None = Field(default=None, description="database of the comparison")
    compare_table: str | None = Field(default=None, description="table to compare with")
    compare_sql: str | None = Field(default=None, description="query to compare with")
    compare_keys: tuple[str, ...] = Field(
        default=(), description="columns that identify a row in the source; default: the keys"
    )
    sample_size: int = Field(default=1000, ge=1, le=100_000, description="rows to compare")
    analyze: bool = Field(default=True, description="renew the planner's statistics afterwards")

    @field_validator("keys", "compare_keys")
    @classmethod
    def _small_letters(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name.strip().lower() for name in names)

    @field_validator("source_table")
    @classmethod
    def _one_name(cls, text: str | None) -> str | None:
        if text is None:
            return None
        try:
            reader = TokenReader(text)
            reader.table_name()
        except DefinitionError as error:
            raise ValueError(str(error)) from None
        if reader.token.kind is not Kind.END:
            raise ValueError("takes one table, written schema.table")
        return text

    @field_validator("source_sql")
    @classmethod
    def _one_query(cls, text: str | None) -> str | None:
        try:
            if text is not None and statements_in(text) != 1:
                raise ValueError("takes one query")
        except DefinitionError as error:
            raise ValueError(str(error)) from None
        return text

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if sum(bool(source) for source in (self.input, self.source_table, self.source_sql)) != 1:
            raise ValueError("give exactly one of --input, --source-table and --source-sql")
        if self.compare_host and (self.compare_table is None) == (self.compare_sql is None):
            raise ValueError("--compare-host needs exactly one of --compare-table and --compare-sql")
        if not self.compare_host and (self.compare_table or self.compare_sql):
            raise ValueError("--compare-table and --compare-sql need --compare-host")
        return self

    @property
    def compare_with(self) -> SourceRelation | None:
        """The relation to compare a sample with."""
        if not self.compare_host:
            return None
        return SourceRelation(self.compare_host, self.compare_database, self.compare_table, self.compare_sql)
