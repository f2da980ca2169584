"""The data format of an S3 data node as a dialect; a node without one holds CSV."""

from __future__ import annotations

from core.errors import ParameterError
from steps_impl.activities.copying import dialects
from steps_impl.activities.copying.dialects import Dialect, Writing
from steps_impl.activities.objects.formats import CsvFormat, CustomFormat, TsvFormat
from steps_impl.activities.objects.nodes import S3DataNode


def dialect_of(node: S3DataNode, writing: Writing) -> Dialect:
    """Return how the node's files are read and written.

    Raises:
        ParameterError: CopyActivity has no use for its format, or the format's separators are wrong; names the node.
    """
    try:
        return _dialect(node, writing)
    except ParameterError as error:
        raise ParameterError(f"{node.label}: {error}") from None


def _dialect(node: S3DataNode, writing: Writing) -> Dialect:
    form = node.data_format
    if form is None:
        return dialects.csv(writing)
    if isinstance(form, CsvFormat):
        if form.record_separator not in ("\n", "\\n", ""):
            raise ParameterError("a CSV's records end with a newline; use Custom for another recordSeparator")
        return dialects.csv(writing, form.escape_char)
    if isinstance(form, TsvFormat):
        return dialects.separated(writing, form.column_separator, form.record_separator, form.escape_char)
    if isinstance(form, CustomFormat):
        return dialects.separated(writing, form.column_separator, form.record_separator)
    raise ParameterError(f"CopyActivity reads and writes CSV, TSV and Custom, not {form.type}")


def column_names(node: S3DataNode) -> tuple[str, ...] | None:
    """Return the names of the columns that the node's format lists; nothing when it lists none."""
    columns = node.data_format.columns if node.data_format else ()
    return tuple(column.name for column in columns) or None
