"""Parameters of the steps that extract whole files."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from steps_impl.formats.counting import TextFormat
from steps_impl.registry import Parameters


class FileParameters(Parameters):
    """Which files, what is known about them, where they go."""

    output: str | None = Field(
        default=None, description="s3://bucket/prefix/ or a directory; default: $OUTPUT1_STAGING_DIR"
    )
    pattern: str | None = Field(
        default=None, description="take only files whose name relative to the source is like this: *.tsv.gz"
    )
    input_format: TextFormat | None = Field(
        default=None, description="what the files hold; the manifest tells it to the step that loads them"
    )
    columns: tuple[str, ...] | None = Field(
        default=None, min_length=1, description="the columns in the files, in order, for the manifest"
    )
    header: bool = Field(default=False, description="each file begins with a line of names, which is no row")
    count_rows: bool = Field(default=False, description="read the files and count their rows; needs the format")
    when_missing: Literal["fail", "empty"] = Field(
        default="fail", description="no file at all: fail, or publish one empty file"
    )
    empty_files: Literal["keep", "skip", "fail"] = Field(
        default="keep", description="files of 0 bytes: keep them, leave them out, or fail"
    )

    @model_validator(mode="after")
    def _countable(self) -> Self:
        if self.count_rows and self.input_format is None:
            raise ValueError("--count-rows needs --input-format")
        return self

    @property
    def elements(self) -> list[dict[str, Any]] | None:
        """The columns as a manifest has them."""
        return None if self.columns is None else [{"name": name} for name in self.columns]
