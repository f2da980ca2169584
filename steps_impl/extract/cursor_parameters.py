"""Parameters of every extract that can read only what is new."""

from __future__ import annotations

import re
from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from core.periods import parse_period
from steps_impl.registry import Parameters

_NUMBER = re.compile(r"\d{1,38}(\.\d{1,38})?")


class CursorParameters(Parameters):
    """How new rows are told, and where it is kept up to which of them have been read."""

    #: What says nothing without a cursor column.
    needs_cursor: ClassVar[tuple[str, ...]] = ("state", "look_back", "run_key")

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

    @field_validator("look_back")
    @classmethod
    def _is_a_distance(cls, value: str | None) -> str | None:
        if value is not None and not _NUMBER.fullmatch(value):
            parse_period(value)
        return value

    @model_validator(mode="after")
    def _has_a_cursor(self) -> Self:
        lonely = [name for name in self.needs_cursor if getattr(self, name) is not None and not self.cursor_column]
        if lonely:
            raise ValueError(f"--{lonely[0].replace('_', '-')} belongs to --cursor-column")
        return self
