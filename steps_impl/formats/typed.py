"""Rows for files that know the types of their columns: values stay the bytes that the source printed until then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from steps_impl.formats.delimited import Row


@dataclass(frozen=True)
class Column:
    """A column of the output: its name and its warehouse type, as an element of the manifest's schema says it."""

    name: str
    type: Mapping[str, Any]

    @property
    def base(self) -> str:
        """The type without its size."""
        return str(self.type["base"])


@dataclass(frozen=True)
class TypedRows:
    """A chunk of rows and the number of its first one (counted from 1), for messages."""

    first: int
    rows: Sequence[Row]


@dataclass(frozen=True)
class CsvBlock:
    r"""Whole lines of CSV in which every value but NULL (``\N``) is in quotes, and the number of the first row."""

    first: int
    lines: bytes
