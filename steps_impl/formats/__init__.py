r"""Rows to bytes: the text formats that COPY loads, with NULL, an empty text, ``NULL`` and ``\N`` kept apart."""

from __future__ import annotations

from collections.abc import Sequence

from steps_impl.formats.delimited import FORMATS, RowFormat
from steps_impl.formats.json_lines import JsonLines
from steps_impl.formats.typed import Column

__all__ = ["FORMATS", "RowFormat", "text_format"]


def text_format(name: str, columns: Sequence[Column]) -> RowFormat:
    """Return the text format of this name (tsv, csv, json) for rows of these columns."""
    return JsonLines(columns) if name == "json" else FORMATS[name]
