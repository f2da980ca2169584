"""The tables that stand for the nodes of an activity, as statements; made for one run and gone with its session."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.errors import ParameterError
from steps_impl.activities.hive.formats import column_list, row_form
from steps_impl.activities.hive.quoting import literal, name, properties
from steps_impl.activities.objects.nodes import DynamoDBDataNode, S3DataNode

STORAGE_HANDLER = "org.apache.hadoop.hive.dynamodb.DynamoDBStorageHandler"
_VARIABLE = re.compile(r"\$\{(?:hivevar:)?((input|output)([1-9]\d*))\}", re.IGNORECASE)
#: Reads the files that a file names.
_SYMLINKS = (
    "STORED AS INPUTFORMAT 'org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat' "
    "OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'"
)


@dataclass(frozen=True)
class Reference:
    """``${input2}`` in a script: how it is spelt, ``input`` or ``output``, and its number from 1."""

    variable: str
    side: str
    number: int


def references(script: str) -> list[Reference]:
    """Return the nodes that a script refers to, each spelling once, in their order."""
    found = (Reference(match[1], match[2].lower(), int(match[3])) for match in _VARIABLE.finditer(script))
    return sorted(dict.fromkeys(found), key=lambda entry: (entry.side, entry.number, entry.variable))


def s3_table(table: str, node: S3DataNode, written: bool, items: bool = False) -> str:
    """Return the statement that makes a table of a directory in S3; ``items`` as for ``row_form``.

    Raises:
        ParameterError: the format cannot be read, or the output is a file.
    """
    form = row_form(node.data_format, node.label, written, items)
    if not node.directory_path:
        raise ParameterError(f"{node.label} is an output with a filePath; Hive writes directories: use directoryPath")
    return _create(table, form.columns, form.row_format, f"STORED AS TEXTFILE LOCATION {literal(node.uri)}")


def file_table(table: str, node: S3DataNode, listing: str) -> list[str]:
    """Return the statements for one file in S3: a table of the files that the local file ``listing`` names."""
    form = row_form(node.data_format, node.label, written=False)
    create = f"CREATE TEMPORARY TABLE {name(table)} {form.columns}\n{form.row_format}\n{_SYMLINKS}"
    return [create, f"LOAD DATA LOCAL INPATH {literal(listing)} INTO TABLE {name(table)}"]


def dynamodb_table(table: str, node: DynamoDBDataNode) -> str:
    """Return the statement that makes a table of one of DynamoDB's, for Hive with its storage handler.

    A format with columns gives each as an attribute; without, the table has one column ``item`` with all of them.
    """
    columns = node.data_format.columns if node.data_format else ()
    values = {"dynamodb.table.name": node.table_name}
    if columns:
        values["dynamodb.column.mapping"] = ",".join(f"{column.name.lower()}:{column.name}" for column in columns)
    values |= {
        "dynamodb.throughput.read.percent": str(node.read_throughput_percent),
        "dynamodb.throughput.write.percent": str(node.write_throughput_percent),
    }
    if node.region_name:
        values["dynamodb.regionid"] = node.region_name
    declared = column_list(columns, node.label) if columns else "(`item` MAP<STRING,STRING>)"
    handler = f"STORED BY {literal(STORAGE_HANDLER)}"
    return f"CREATE EXTERNAL TABLE {name(table)} {declared}\n{handler}\nTBLPROPERTIES {properties(values)}"


def drop(tables: Iterable[str]) -> list[str]:
    """Return statements that drop tables that are not gone with the session."""
    return [f"DROP TABLE IF EXISTS {name(table)}" for table in tables]


def variables(values: Mapping[str, str]) -> list[str]:
    """Return statements that set Hive's variables; their values are taken as they are.

    Raises:
        ParameterError: a name is none, or a value has characters that a SET statement loses.
    """
    for key, value in values.items():
        if not re.fullmatch(r"[\w.-]+", key):
            raise ParameterError(f"the scriptVariable {key!r} has no proper name; write NAME=value")
        if value != value.strip() or "\0" in value:
            raise ParameterError(f"the scriptVariable {key!r} begins or ends with a space, which Hive would drop")
    return [f"SET hivevar:{key}={value.replace(';', chr(92) + ';')}" for key, value in values.items()]


def _create(table: str, columns: str, *clauses: str) -> str:
    return "\n".join([f"CREATE TEMPORARY EXTERNAL TABLE {name(table)} {columns}", *clauses])
