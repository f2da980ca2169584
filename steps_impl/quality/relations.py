"""Parameters by which checks name their two relations, and what is made of them."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from core.errors import ParameterError
from core.sections.databases import RedshiftSettings
from core.settings import Settings
from steps_impl.quality.report import CheckParameters
from steps_impl.quality.sides import SourceRelation
from steps_impl.tables.definition import read_definition
from steps_impl.tables.model import Table
from stores.s3 import S3Store


class ComparisonParameters(CheckParameters):
    """A source and the destination that was loaded from it."""

    tolerance: float = Field(default=1.0, ge=0, description="highest error rate that still passes (in percent)")
    source_host: str = Field(description="source: an alias of the configuration's mysql section, or 'postgres'")
    source_database: str | None = Field(default=None, description="database of the source; default: the host's")
    source_table: str | None = Field(default=None, description="source: a table")
    source_table_name: str | None = Field(default=None, description="Dataduct's name of --source-table")
    source_sql: str | None = Field(default=None, description="source: the rows of a query")

    @model_validator(mode="after")
    def _one_name_of_the_source(self) -> Self:
        by_one_name(source_table=self.source_table, source_table_name=self.source_table_name)
        return self

    @property
    def source_place(self) -> str | None:
        """The source's table."""
        return self.source_table or self.source_table_name

    @property
    def source(self) -> SourceRelation:
        """The source's relation."""
        return SourceRelation(self.source_host, self.source_database, self.source_place, self.source_sql)


def by_one_name(**names: str | None) -> None:
    """Refuse a parameter that is given by both of its names.

    Raises:
        ValueError: names the flags.
    """
    if all(value is not None for value in names.values()):
        first, second = (f"--{name.replace('_', '-')}" for name in names)
        raise ValueError(f"{second} is another name of {first}; give one of them")


def exactly_one(**given: str | None) -> None:
    """Refuse any number of values but one; an empty text counts as given.

    Raises:
        ValueError: names the flags.
    """
    if sum(value is not None for value in given.values()) != 1:
        *flags, last = (f"--{name.replace('_', '-')}" for name in given)
        raise ValueError(f"give exactly one of {', '.join(flags)} and {last}")


def warehouse_settings(settings: Settings) -> RedshiftSettings:
    """Return the configuration's warehouse.

    Raises:
        ParameterError: there is none.
    """
    if settings.redshift is None:
        raise ParameterError("the configuration has no redshift section; a check needs the warehouse")
    return settings.redshift


def defined_table(source: str, settings: Settings) -> Table:
    """Return the table that ``--table-definition`` (file, s3:// or text) defines."""
    return read_definition(source, S3Store(region=settings.etl.region))
