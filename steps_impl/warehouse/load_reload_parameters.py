"""Parameters of ``load-reload-pk``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from steps_impl.load.parameters import FileParameters
from steps_impl.quality.inside_parameters import InsideCheckParameters
from steps_impl.warehouse.maintenance import MaintenanceParameters


class LoadReloadParameters(InsideCheckParameters, MaintenanceParameters, FileParameters):
    """Parameters of ``load-reload-pk``."""

    staging_table_definition: str = Field(
        description="the table that holds the files' rows, as CREATE TABLE: a file, s3://bucket/key, or the text itself"
    )
    production_table_definition: str = Field(
        description="the table that gets the rows of staging; its primary key is checked"
    )
    input: tuple[str, ...] = Field(
        min_length=1, description="what to load: a manifest, a directory or a file in S3; several are loaded together"
    )
    enforce_primary_key: bool = Field(
        default=True, description="of rows with one key production gets one; otherwise such rows fail the step"
    )
    order_by: str | None = Field(
        default=None,
        description="which of several rows with one key wins: the first in this order, e.g. 'updated_at DESC, id'; "
        "ties, and everything by default: the greatest values of the other columns",
    )
    null_keys: Literal["fail", "drop"] = Field(
        default="fail", description="rows with NULL in the primary key: refuse them, or leave them out of production"
    )
    allow_empty: bool = Field(
        default=False, description="let files without rows empty a production table that has some (else refused)"
    )
    check_keys: bool = Field(default=True, description="check that every key is in production exactly once")
