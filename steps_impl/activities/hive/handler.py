"""Tables that a script declares as DynamoDB's (``STORED BY … DynamoDBStorageHandler``), for a Hive that cannot do that.

EMR's Hive has the handler; others have not, and it is not to be had. Then such a table becomes one of text: before the
script it is filled with the items if the script reads it, and what the script has inserted is put into DynamoDB in the
end. The same goes for files that were exported (``ROW FORMAT SERDE … DynamoDBExportSerDe``), which are only read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.errors import ParameterError
from steps_impl.activities.dynamodb.rows import HiveColumn
from steps_impl.activities.hive.quoting import literal, name
from steps_impl.activities.hive.statements import settings, split, strings, substitute, without_comments

_NAME = r"(?:`[^`]+`|[A-Za-z_]\w*)(?:\.(?:`[^`]+`|[A-Za-z_]\w*))?"
_CREATE = re.compile(
    rf"\s*CREATE\s+(?:EXTERNAL\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(?P<name>{_NAME})\s*\((?P<columns>.*)\)\s*"
    r"""(?:COMMENT\s+(?:'[^']*'|"[^"]*")\s*)?(?:STORED\s+BY|ROW\s+FORMAT\s+SERDE)\s+"""
    r"""(?P<handler>'[^']*'|"[^"]*")(?P<rest>.*)""",
    re.IGNORECASE | re.DOTALL,
)
_HANDLER, _EXPORT_SERDE = "DynamoDBStorageHandler", "DynamoDBExportSerDe"
_LOCATION = re.compile(r"""\bLOCATION\s+('[^']*'|"[^"]*")""", re.IGNORECASE)
_COMMENT = re.compile(r"""\s+COMMENT\s+('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""", re.IGNORECASE)
_BETWEEN_COLUMNS = re.compile(r",(?![^(<]*[)>])")
_ENDPOINT = re.compile(r"(?:https?://)?dynamodb\.([a-z0-9-]+)\.amazonaws\.com", re.IGNORECASE)
#: LazySimpleSerDe with the separators and escapes of ``steps_impl.activities.dynamodb.rows``.
ROW_FORMAT = (
    "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe' WITH SERDEPROPERTIES ("
    # Hive 2 reads the misspelt name, Hive 3 the other.
    "'field.delim'='\\u0001', 'colelction.delim'='\\u0002', 'collection.delim'='\\u0002', 'mapkey.delim'='\\u0003', "
    "'escape.delim'='\\u005C', 'serialization.escape.crlf'='true')"
)


@dataclass(frozen=True)
class HandlerTable:
    """A table of Hive that stands for one of DynamoDB's, or for the exported files at ``location``."""

    name: str
    columns: tuple[HiveColumn, ...]
    declared: str
    properties: Mapping[str, str] = field(default_factory=dict)
    read: bool = False
    written: bool = False
    location: str | None = None

    @property
    def table(self) -> str:
        """The name of the table in DynamoDB."""
        return self.properties["dynamodb.table.name"]

    @property
    def region(self) -> str | None:
        """The region that the table's or the script's settings name, if they do."""
        endpoint = _ENDPOINT.fullmatch(self.properties.get("dynamodb.endpoint", ""))
        named = self.properties.get("dynamodb.regionid") or self.properties.get("dynamodb.region")
        return named or (endpoint[1] if endpoint else None)

    def share(self, direction: str) -> float:
        """The share of the throughput for ``read`` or ``write``.

        Raises:
            ParameterError: it is no number between 0.1 and 1.5.
        """
        text = self.properties.get(f"dynamodb.throughput.{direction}.percent", "0.5")
        try:
            share = float(text)
        except ValueError:
            share = 0.0
        if not 0.1 <= share <= 1.5:
            raise ParameterError(f"dynamodb.throughput.{direction}.percent is {text!r}; write a number from 0.1 to 1.5")
        return share


def rewrite(script: str, variables: Mapping[str, str], place: str) -> tuple[str, list[HandlerTable]]:
    """Return the script with such tables as tables of text, and the tables.

    Table number n is loaded from the local directory ``<place>/n/in`` if it is read, and what a statement inserts into
    it is written to a directory of its own in ``<place>/n/out`` right after that. A script without such tables is
    returned as it is.

    Raises:
        ParameterError: a declaration cannot be understood.
    """
    known = {**settings(script), **variables}
    parts = split(script)
    found = {at: match for at, part in enumerate(parts) if (match := _declaration(part))}
    plain = {at: substitute(without_comments(part), known) for at, part in enumerate(parts) if at not in found}
    tables = []
    for number, (at, match) in enumerate(found.items(), start=1):
        table, inserting = _table(match, known, plain)
        tables.append(table)
        parts[at] = "\n" + ";\n".join(_statements(table, f"{place}/{number}/in"))
        for turn in inserting:
            parts[turn] += ";\n" + _unload(table, f"{place}/{number}/out/{turn:06d}")
    whole = ";".join(parts)
    return whole if whole.rstrip().endswith(";") or not tables else f"{whole.rstrip()};\n", tables


def _declaration(part: str) -> re.Match[str] | None:
    match = _CREATE.fullmatch(without_comments(part))
    return match if match and match["handler"].strip("'\"").endswith((_HANDLER, _EXPORT_SERDE)) else None


def _table(match: re.Match[str], known: dict[str, str], others: Mapping[int, str]) -> tuple[HandlerTable, list[int]]:
    """Return the table, and the numbers of the statements that insert into it."""
    declared, rest = match["name"], substitute(match["rest"], known)
    texts = [text.strip() for text in _BETWEEN_COLUMNS.split(_COMMENT.sub("", match["columns"]))]
    properties = _properties(rest, known)
    columns = tuple(_column(text, _mapping(properties)) for text in texts if text)
    reading, inserting = _uses(declared, others)
    location = _location(rest, declared) if _EXPORT_SERDE in match["handler"] else None
    if location is None and not properties.get("dynamodb.table.name"):
        raise ParameterError(f"the table {declared} of the script is DynamoDB's, but has no dynamodb.table.name")
    if location and inserting:
        raise ParameterError(f"the script inserts into {declared}, whose DynamoDBExportSerDe only reads")
    if "${" in rest:
        raise ParameterError(f"the table {declared} of the script has a ${{…}} whose value is not known here")
    uses = bool(reading), bool(inserting)
    return HandlerTable(declared, columns, ", ".join(texts), properties, *uses, location), inserting


def _properties(rest: str, known: Mapping[str, str]) -> dict[str, str]:
    """Return the table's properties over what the script sets for all."""
    quoted = strings(_LOCATION.sub("", rest))
    own = {key.lower(): value for key, value in zip(quoted[::2], quoted[1::2], strict=False)}
    return {**{key.lower(): value for key, value in known.items() if key.lower().startswith("dynamodb.")}, **own}


def _location(rest: str, declared: str) -> str:
    if found := _LOCATION.search(rest):
        return strings(found[1])[0]
    raise ParameterError(f"the table {declared} of the script reads exported files, but has no LOCATION")


def _mapping(properties: Mapping[str, str]) -> dict[str, str]:
    pairs = (pair.partition(":") for pair in properties.get("dynamodb.column.mapping", "").split(",") if pair.strip())
    return {column.strip().lower(): attribute.strip() for column, _, attribute in pairs}


def _column(text: str, mapping: Mapping[str, str]) -> HiveColumn:
    match = re.fullmatch(r"(`(?:[^`]|``)+`|\S+)\s+(.+)", text, re.DOTALL)
    if not match:
        raise ParameterError(f"the column {text!r} of a table of DynamoDB's is not of the form: name type")
    column, kind = match[1].strip("`"), match[2].strip()
    attribute = mapping.get(column.lower())
    if attribute is None and re.sub(r"\s+", "", kind.lower()) != "map<string,string>":
        attribute = column
    return HiveColumn(column, kind, attribute)


def _uses(declared: str, statements: Mapping[int, str]) -> tuple[list[int], list[int]]:
    """Return the numbers of the statements that read the table, and of those that insert into it."""
    bare = re.escape(declared.rpartition(".")[2].strip("`"))
    word = rf"(?:(?:\w+|`[^`]+`)\.)?(?:`{bare}`|\b{bare}\b)"
    target = re.compile(rf"\bINSERT\s+(?:OVERWRITE|INTO)\s+(?:TABLE\s+)?{word}", re.IGNORECASE)
    dropped = re.compile(rf"\bDROP\s+TABLE\s+(?:IF\s+EXISTS\s+)?{word}", re.IGNORECASE)
    inserting = [at for at, text in statements.items() if target.search(text)]
    left = {at: target.sub("", dropped.sub("", text)) for at, text in statements.items()}
    return [at for at, text in left.items() if re.search(word, text, re.IGNORECASE)], inserting


def _statements(table: HandlerTable, place: str) -> Sequence[str]:
    create = f"CREATE TEMPORARY TABLE {table.name} ({table.declared})\n{ROW_FORMAT}\nSTORED AS TEXTFILE"
    load = f"LOAD DATA LOCAL INPATH {literal(place)} INTO TABLE {table.name}"
    return [create, load] if table.read else [create]


def _unload(table: HandlerTable, place: str) -> str:
    columns = ", ".join(name(column.name) for column in table.columns)
    return f"INSERT OVERWRITE LOCAL DIRECTORY {literal(place)}\n{ROW_FORMAT}\nSELECT {columns} FROM {table.name}"
