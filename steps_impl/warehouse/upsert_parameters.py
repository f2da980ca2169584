"""Parameters of the step ``upsert``."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from steps_impl.warehouse.merge_parameters import MergeParameters
from steps_impl.warehouse.plan import Mode


class UpsertParameters(MergeParameters):
    """How rows of a known key are treated."""

    mode: Mode = Field(
        default="delete-insert",
        description="delete-insert: rows with a staged key are deleted, then all staged ones inserted; merge: MERGE, "
        "which leaves columns alone that are not loaded; append: rows whose key is there already are left as they are",
    )
    delete_existing: bool = Field(default=False, description="delete all rows of the target first (a reload)")
    allow_empty: bool = Field(
        default=False, description="let --delete-existing empty the target when the source has no rows (else refused)"
    )

    @model_validator(mode="after")
    def _mode_fits(self) -> Self:
        if self.mode != "delete-insert" and self.delete_existing:
            raise ValueError("--delete-existing leaves nothing to merge with; leave out --mode")
        if self.mode == "merge" and not self.enforce_primary_key:
            raise ValueError("--mode merge needs every key once; leave out --no-enforce-primary-key")
        return self
