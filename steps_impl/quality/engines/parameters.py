"""Parameters of checks that look at one relation of any host."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from pydantic import Field, model_validator

from core.settings import Settings
from steps_impl.contract import StepContext
from steps_impl.quality.engines.end import End, open_end, relation_of
from steps_impl.quality.engines.moments import since_condition
from steps_impl.quality.report import CheckParameters


class RelationParameters(CheckParameters):
    """A table or a query on a host of the configuration."""

    host_name: str = Field(
        default="redshift", description="an alias of the configuration's mysql section, 'postgres' or 'redshift'"
    )
    database: str | None = Field(default=None, description="database; default: the host's")
    table: str | None = Field(default=None, min_length=1, description="the table, `table` or `schema.table`")
    sql: str | None = Field(default=None, description="the rows of a query instead of a table")
    where: str | None = Field(default=None, description="only rows that fulfil this condition")
    since: str | None = Field(
        default=None,
        description="COLUMN=MOMENT: only rows from then on (UTC): 2026-01-31T00:00:00, or a period back like '2 days'",
    )

    @model_validator(mode="after")
    def _one_relation(self) -> Self:
        if (self.table is None) == (self.sql is None):
            raise ValueError("give exactly one of --table and --sql")
        return self

    @property
    def place(self) -> tuple[str, str]:
        """Schema and table for reports."""
        schema, _, table = (self.table or "query").rpartition(".")
        return schema, table

    @contextmanager
    def opened(self, settings: Settings, context: StepContext, table: str | None = None) -> Iterator[tuple[End, str]]:
        """Connect; hand out the end and what stands behind FROM: ``table``, or what the parameters name.

        Raises:
            ParameterError: the configuration has no such host.
            StoreError: it cannot be reached or refuses.
        """
        with open_end(self.host_name, self.database, settings, context.cancelled) as end:
            everything = relation_of(end, table or self.table, self.sql)
            conditions = [self.where, since_condition(end, self.since, everything)]
            yield end, relation_of(end, table or self.table, self.sql, conditions)
