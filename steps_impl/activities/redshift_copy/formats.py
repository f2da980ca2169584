r"""Data formats as parameters of COPY and UNLOAD.

Without a data format and without ``commandOptions`` files are CSV: what Sqoop writes and CopyActivity reads, as the
public definitions that leave the format out expect (``redshift_copy_activity.default_format``).
"""

from __future__ import annotations

from core.errors import ParameterError
from steps_impl.activities.objects.formats import CsvFormat, CustomFormat, DataFormat, TsvFormat
from steps_impl.activities.redshift_copy.dialect import Dialect

_NOTATIONS = {r"\t": "\t", r"\\": "\\"}
#: COPY's own text of NULL; stated for UNLOAD, whose default is no text at all.
NULL_CLAUSE = r"NULL AS '\\N'"
#: ``NULL AS '\n'`` would be a line feed; a backslash for the backslash says that the letter is meant.
_DOCUMENTED_NULL = r"NULL AS '\\n'"


def separator_of(data_format: DataFormat) -> str:
    """Return the character between values; refuse what COPY cannot read.

    Raises:
        ParameterError: the format is not one of text, or has separators or an escape that Redshift does not know.
    """
    if isinstance(data_format, CsvFormat):
        separator = ","
    elif isinstance(data_format, TsvFormat | CustomFormat):
        separator = _NOTATIONS.get(data_format.column_separator, data_format.column_separator)
    else:
        raise ParameterError(f"{data_format.label}: {data_format.type} is not a format that Redshift loads or unloads")
    if len(separator) != 1 or not separator.isascii() or separator in "\\\r\n":
        raise ParameterError(f"{data_format.label}: Redshift separates values by one ASCII character, no {separator!r}")
    if data_format.record_separator not in ("\n", "\\n"):
        raise ParameterError(f"{data_format.label}: Redshift ends records with a line feed; leave recordSeparator out")
    escape = getattr(data_format, "escape_char", None)
    if escape not in (None, "", "\\", "\\\\"):
        raise ParameterError(f"{data_format.label}: Redshift escapes with a backslash alone, not with {escape!r}")
    return separator


def copy_parameters(data_format: DataFormat, found: Dialect) -> str:
    r"""Return how COPY reads files of a format; ``found`` is what they told.

    Values in quotes of a CSV are read as RFC 4180 says, others with a backslash as escape.
    """
    separator = separator_of(data_format)
    if isinstance(data_format, CsvFormat) and (found.quoted or not (found.escapes or data_format.escape_char)):
        return "FORMAT AS CSV"
    delimited = f"DELIMITER {character(separator)} ESCAPE"
    return f"{delimited} {_DOCUMENTED_NULL}" if found.documented_null else delimited


def character(text: str) -> str:
    """Return one character as a literal of COPY and UNLOAD."""
    if text == "\t":
        return r"'\t'"
    if not text.isprintable():
        return f"'\\{ord(text):03o}'"
    return "''''" if text == "'" else f"'{text}'"
