r"""Rows to bytes: the text formats that COPY loads, with NULL, an empty text, ``NULL`` and ``\N`` kept apart."""

from __future__ import annotations

from steps_impl.formats.delimited import FORMATS, RowFormat

__all__ = ["FORMATS", "RowFormat"]
