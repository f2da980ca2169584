"""Parameters of the sampled comparison with the source that a loading step makes before its commit."""

from __future__ import annotations

from typing import Self

from pydantic import Field, field_validator, model_validator

from steps_impl.quality.sides import SourceRelation
from steps_impl.registry import Parameters


class SampleParameters(Parameters):
    """What the rows that were written are compared with."""

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

    @field_validator("compare_keys")
    @classmethod
    def _as_the_warehouse_stores_them(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name.strip().lower() for name in names)

    @model_validator(mode="after")
    def _one_relation(self) -> Self:
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
