"""What a data format is in HiveQL: columns, and how a row is read and written.

Source: Developer Guide, *HiveActivity* ("uses the Hive CSV Serde"), *RegEx Data Format*; Hive, *CSV Serde*,
*LanguageManual DDL*.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import ParameterError
from steps_impl.activities.hive.quoting import literal, name, properties, type_name
from steps_impl.activities.objects.formats import (
    Column,
    CsvFormat,
    CustomFormat,
    DataFormat,
    RegExFormat,
    TsvFormat,
    character,
    single_character,
)

_CSV_SERDE = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
#: Hive's own reads only; the one of its contributions writes too.
_REGEX_SERDE = "org.apache.hadoop.hive.serde2.RegexSerDe"
_CONTRIBUTED_REGEX_SERDE = "org.apache.hadoop.hive.contrib.serde2.RegexSerDe"


@dataclass(frozen=True)
class RowForm:
    """The parts of a CREATE TABLE: ``columns`` with their brackets, and the ROW FORMAT clause."""

    columns: str
    row_format: str


def row_form(data_format: DataFormat | None, label: str, written: bool, items: bool = False) -> RowForm:
    """Return how the rows of a node with this format are declared; ``written`` when the table is an output.

    A node without a format has lines of text: one column ``line``, so that ``SELECT *`` copies them; with ``items`` it
    has DynamoDB's items, one column ``item``.

    Raises:
        ParameterError: Hive cannot do that; the message names the node and the field.
    """
    if data_format is None:
        column = "(`item` MAP<STRING,STRING>)" if items else "(`line` STRING)"
        return RowForm(column, "ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\u0001'")
    if isinstance(data_format, CsvFormat):
        clause = _csv(data_format, label)
    elif isinstance(data_format, TsvFormat | CustomFormat):
        clause = _delimited(data_format, label)
    elif isinstance(data_format, RegExFormat):
        clause = _regex(data_format, label, written)
    else:
        kind = data_format.type
        raise ParameterError(f"{label} has the format {kind}, which is for DynamoDBDataNode and HiveCopyActivity")
    return RowForm(column_list(data_format.columns, label), clause)


def column_list(columns: Sequence[Column], label: str) -> str:
    """Return ``(`a` INT, `b` STRING)``; errors as ``row_form``."""
    if not columns:
        raise ParameterError(f"the format of {label} has no column; Hive needs each as `name TYPE`")
    return "(" + ", ".join(f"{name(column.name)} {type_name(column.type, column.name)}" for column in columns) + ")"


def _csv(data_format: CsvFormat, label: str) -> str:
    _check_lines(data_format.record_separator, label)
    escape = single_character(data_format.escape_char or "\\", "escapeChar", label, "Hive")
    values = {"separatorChar": ",", "quoteChar": '"', "escapeChar": escape}
    return f"ROW FORMAT SERDE {literal(_CSV_SERDE)} WITH SERDEPROPERTIES {properties(values)}"


def _delimited(data_format: TsvFormat | CustomFormat, label: str) -> str:
    _check_lines(data_format.record_separator, label)
    separator = single_character(character(data_format.column_separator), "columnSeparator", label, "Hive")
    escape = data_format.escape_char if isinstance(data_format, TsvFormat) else None
    clause = f"ROW FORMAT DELIMITED FIELDS TERMINATED BY {literal(separator)}"
    return f"{clause} ESCAPED BY {literal(single_character(escape, 'escapeChar', label, 'Hive'))}" if escape else clause


def _regex(data_format: RegExFormat, label: str, written: bool) -> str:
    if written:
        if not data_format.output_format:
            raise ParameterError(f"the RegEx format of {label}, which is an output, has no outputFormat")
        values = {"output.format.string": data_format.output_format}
        if data_format.input_reg_ex:
            values = {"input.regex": data_format.input_reg_ex, **values}
        serde = _CONTRIBUTED_REGEX_SERDE
    else:
        if not data_format.input_reg_ex:
            raise ParameterError(f"the RegEx format of {label} has no inputRegEx")
        _check_groups(data_format, label)
        values, serde = {"input.regex": data_format.input_reg_ex}, _REGEX_SERDE
    return f"ROW FORMAT SERDE {literal(serde)} WITH SERDEPROPERTIES {properties(values)}"


def _check_groups(data_format: RegExFormat, label: str) -> None:
    """Refuse what Hive would tell only in its log: that the groups are not as many as the columns."""
    try:
        groups = re.compile(data_format.input_reg_ex or "").groups
    except re.error:  # Java's expressions are not quite Python's; Hive says what is wrong with it
        return
    if groups != len(data_format.columns):
        raise ParameterError(
            f"the inputRegEx of {label} has {groups} groups for {len(data_format.columns)} columns; give one each"
        )


def _check_lines(separator: str, label: str) -> None:
    if character(separator) != "\n":
        raise ParameterError(
            f"the format of {label} has a recordSeparator other than a newline, which Hive cannot read"
        )
