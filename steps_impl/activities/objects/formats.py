"""Data formats: how the records of a file are written, and the columns they have.

Source: Developer Guide, *CSV Data Format*, *TSV Data Format*, *Custom Data Format*, *RegEx Data Format*,
*DynamoDBDataFormat*, *DynamoDBExportDataFormat*. ``column`` holds ``"name TYPE"`` and is repeated; TSV's page lets one
field hold several, separated by commas.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field

from core.errors import ParameterError
from steps_impl.activities.objects.base import PipelineObject, Several

#: A comma that is not inside brackets, as in ``price DECIMAL(10,2), name STRING``.
_BETWEEN_COLUMNS = re.compile(r",(?![^(<]*[)>])")


class Column:
    """A column of a format: its name and the type behind it, empty when none is given."""

    def __init__(self, text: str) -> None:
        self.name, _, self.type = (part.strip() for part in text.strip().partition(" "))


class _Format(PipelineObject):
    column: Several[str] = Field(default=(), description="`name TYPE`, once per column, in the order of the file")

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns, in the order of the file; none when the format does not say."""
        parts = [part for text in self.column for part in _BETWEEN_COLUMNS.split(text)]
        return tuple(Column(part) for part in parts if part.strip())


class CsvFormat(_Format):
    """``CSV``: comma, newline."""

    type: Literal["CSV"] = "CSV"
    escape_char: str | None = Field(default=None, description="character that makes the next one plain")
    record_separator: str = Field(default="\n", description="what ends a record")


class TsvFormat(_Format):
    """``TSV``: tab, newline."""

    type: Literal["TSV"] = "TSV"
    column_separator: str = Field(default="\t", description="what stands between two values")
    escape_char: str | None = Field(default=None, description="character that makes the next one plain")
    record_separator: str = Field(default="\n", description="what ends a record")


class CustomFormat(_Format):
    """``Custom``: any separators."""

    type: Literal["Custom"] = "Custom"
    column_separator: str = Field(description="what stands between two values")
    record_separator: str = Field(default="\n", description="what ends a record")


class RegExFormat(_Format):
    """``RegEx``: for Hive alone."""

    type: Literal["RegEx"] = "RegEx"
    input_reg_ex: str | None = Field(default=None, alias="inputRegEx", description="matches a line; groups are values")
    output_format: str | None = Field(default=None, description="how a line is written, `%1$s %2$s`")


class DynamoDBFormat(_Format):
    """``DynamoDBDataFormat``: a schema over a DynamoDB table, for Hive."""

    type: Literal["DynamoDBDataFormat"] = "DynamoDBDataFormat"


class DynamoDBExportFormat(_Format):
    """``DynamoDBExportDataFormat``: files that were exported from DynamoDB."""

    type: Literal["DynamoDBExportDataFormat"] = "DynamoDBExportDataFormat"


#: What CopyActivity and RedshiftCopyActivity read and write.
TextFormat = CsvFormat | TsvFormat | CustomFormat
DataFormat = Annotated[
    CsvFormat | TsvFormat | CustomFormat | RegExFormat | DynamoDBFormat | DynamoDBExportFormat,
    Field(discriminator="type"),
]


def character(text: str) -> str:
    r"""Return the character that a definition may write as ``\t``, ``\n`` or ``\r`` in two."""
    return {"\\t": "\t", "\\n": "\n", "\\r": "\r"}.get(text, text)


def single_character(text: str, field: str, label: str, reader: str) -> str:
    """Return a text of one character, which is all that ``reader`` (Hive, Pig) takes.

    Raises:
        ParameterError: it is longer, or empty.
    """
    if len(text) != 1:
        raise ParameterError(f"the {field} of {label} is {text!r}; for {reader} it must be one character")
    return text
