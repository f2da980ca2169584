r"""Statements that make a relation of a folder in S3 and a folder of a relation, as the node's data format says it.

A format without escapes is read and written by Pig's own storage. With an ``escapeChar`` lines are taken apart by an
expression that knows it, and put together again. Text has no NULL: an empty field is read as NULL, and written for it.
(Source: Developer Guide, *PigActivity*; Pig Latin Reference, *PigStorage*, *REGEX_EXTRACT_ALL*, *SPRINTF*.)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from core.errors import ParameterError
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
from steps_impl.activities.pig.quoting import column_name, literal

T = TypeVar("T")
#: Pig's type for each type of a column; ``TIMESTAMP`` stays text, since Pig takes ISO 8601 alone for a time.
TYPES = {
    "BIGINT": "long",
    "BINARY": "bytearray",
    "BOOLEAN": "boolean",
    "CHAR": "chararray",
    "DATE": "chararray",
    "DATETIME": "chararray",
    "DECIMAL": "bigdecimal",
    "DOUBLE": "double",
    "FLOAT": "float",
    "INT": "int",
    "INTEGER": "int",
    "LONG": "long",
    "NUMERIC": "bigdecimal",
    "SMALLINT": "int",
    "STRING": "chararray",
    "TEXT": "chararray",
    "TIMESTAMP": "chararray",
    "TINYINT": "int",
    "VARCHAR": "chararray",
}
#: What a file without a data format has between its values: Pig's own default.
DEFAULT_SEPARATOR = "\t"


def load(relation: str, path: str, data_format: DataFormat | None, label: str) -> str:
    """Return the statements that load ``path`` as ``relation``.

    Raises:
        ParameterError: the format cannot be read by Pig; the message names the node and the field.
    """
    if data_format is None:
        return f"{relation} = LOAD {literal(path)} USING PigStorage();"
    schema = _schema(data_format.columns, label)
    if isinstance(data_format, RegExFormat):
        if not data_format.input_reg_ex:
            raise ParameterError(f"the RegEx format of {label} has no inputRegEx")
        return _by_expression(relation, path, data_format.input_reg_ex, _required(schema, label))
    separator, escape = _separator(data_format, label), _escape(data_format, label)
    if escape is None:
        wanted = f" AS ({', '.join(schema)})" if schema else ""
        return f"{relation} = LOAD {literal(path)} USING PigStorage({literal(separator)}){wanted};"
    columns = _required(schema, label)
    expression = _fields(separator, escape, len(columns))
    return _by_expression(relation, path, expression, columns, _unescaped(escape))


def store(relation: str, path: str, data_format: DataFormat | None, label: str) -> str:
    """Return the statements that write ``relation`` to the folder ``path``; errors as ``load``."""
    if isinstance(data_format, RegExFormat):
        if not data_format.output_format:
            raise ParameterError(f"the RegEx format of {label}, which is an output, has no outputFormat")
        places = ", ".join(_place(number) for number in range(len(_required(data_format.columns, label))))
        lines = f"FOREACH {relation} GENERATE SPRINTF({literal(data_format.output_format)}, {places})"
        return f"STORE ({lines}) INTO {literal(path)} USING PigStorage();"
    separator, escape = DEFAULT_SEPARATOR, None
    if data_format is not None:
        separator, escape = _separator(data_format, label), _escape(data_format, label)
    if escape is not None and data_format is not None:
        plain = f"([{_in_class(escape)}{_in_class(separator)}])"
        fields = ", ".join(
            f"REPLACE((chararray){_place(number)}, {literal(plain)}, {literal(_replacement(escape) + '$1')})"
            for number in range(len(_required(data_format.columns, label)))
        )
        relation = f"(FOREACH {relation} GENERATE {fields})"
    return f"STORE {relation} INTO {literal(path)} USING PigStorage({literal(separator)});"


def _by_expression(
    relation: str, path: str, expression: str, schema: Sequence[str], value: Callable[[str], str] = str
) -> str:
    """Return statements that take lines apart by an expression; ``value`` makes a field's value of its group."""
    named = [
        (name, kind.replace("bytearray", "chararray")) for name, _, kind in (entry.partition(":") for entry in schema)
    ]
    texts = ", ".join(f"{name}:chararray" for name, _ in named)
    typed = ", ".join(f"({kind}){value(name)} AS {name}:{kind}" for name, kind in named)
    lines = f"LOAD {literal(path)} USING TextLoader() AS (line:chararray)"
    groups = f"FLATTEN(REGEX_EXTRACT_ALL(line, {literal(expression)})) AS ({texts})"
    return (
        f"{relation}_lines = {lines};\n{relation}_texts = FOREACH {relation}_lines GENERATE {groups};\n"
        f"{relation} = FOREACH {relation}_texts GENERATE {typed};"
    )


def _fields(separator: str, escape: str, count: int) -> str:
    """Return the expression of a line: as Pig's storage, it lets fields be missing and takes no notice of more."""
    field = f"((?:[^{_in_class(escape)}{_in_class(separator)}]++|{re.escape(escape)}.)*+)"
    between = re.escape(separator)
    return field + f"(?:{between}{field})?" * (count - 1) + f"(?:{between}.*+)?+"


def _unescaped(escape: str) -> Callable[[str], str]:
    return lambda name: f"REPLACE({name}, {literal(re.escape(escape) + '(.)')}, {literal('$1')})"


def _schema(columns: Sequence[Column], label: str) -> list[str]:
    return [f"{column_name(column.name, label)}:{_type(column, label)}" for column in columns]


def _type(column: Column, label: str) -> str:
    name = column.type.partition("(")[0].strip().upper() or "STRING"
    if name not in TYPES:
        raise ParameterError(
            f"the column {column.name} of {label} has the type {column.type!r}, which is not known for Pig; "
            f"known are: {', '.join(TYPES)}"
        )
    return TYPES[name]


def _required(columns: Sequence[T], label: str) -> Sequence[T]:
    if not columns:
        raise ParameterError(f"the format of {label} has no column; here Pig needs each as `name TYPE`")
    return columns


def _separator(data_format: DataFormat, label: str) -> str:
    if isinstance(data_format, CsvFormat):
        separator = ","
    elif isinstance(data_format, TsvFormat | CustomFormat):
        separator = character(data_format.column_separator)
    else:
        raise ParameterError(
            f"{label} has the format {data_format.type}, which Pig cannot read or write; known are: "
            "CSV, TSV, Custom, RegEx"
        )
    if character(data_format.record_separator) != "\n":
        raise ParameterError(f"the format of {label} has a recordSeparator other than a newline, which Pig cannot read")
    return single_character(separator, "columnSeparator", label, "Pig")


def _escape(data_format: DataFormat, label: str) -> str | None:
    if isinstance(data_format, CsvFormat | TsvFormat) and data_format.escape_char:
        return single_character(data_format.escape_char, "escapeChar", label, "Pig")
    return None


def _in_class(character: str) -> str:
    return "\\" + character if character in "\\]^-[&" else character


def _replacement(character: str) -> str:
    return "\\" + character if character in "\\$" else character


def _place(number: int) -> str:
    """Return the field at a place, with the dollar kept from being a parameter."""
    return f"\\${number}"
