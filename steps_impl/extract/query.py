"""What is read: a whole table or a query, with the columns that need it converted by the server.

FLOAT is asked for as ``column + 0e0``: MySQL prints a four-byte float with six digits (16777217 becomes 16777200),
a double with as many as it needs. BIT is asked for as a number: its own form is raw bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import ParameterError, UnsupportedValue
from steps_impl.extract.relation import Relation
from steps_impl.extract.schema import SUPER, warehouse_type
from steps_impl.formats.typed import Column as TypedColumn
from steps_impl.queries import bare_query
from stores.mysql import Column, Connection, quote_name, quote_table, split_table
from stores.mysql.documents import json_columns

#: Engines whose tables show one state to a whole transaction, so that two reads of it see the same rows.
TRANSACTIONAL = frozenset({"innodb", "rocksdb", "tokudb", "ndbcluster"})
_UNREADABLE = ("geometry", "vector", "type ")
_CONVERTED = {"float": "+ 0e0", "bit": "+ 0"}
#: What the protocol calls by the names of texts.
_BINARY = {"char": "binary", "varchar": "varbinary"}
_BYTES = {"base": "binary varying"}
_BOOLEAN = {"base": "boolean"}
#: Types whose columns can be called booleans all at once, as SHOW COLUMNS tells them.
_BOOLEAN_TYPES = ("tinyint(1)", "bit(1)")


@dataclass(frozen=True)
class Typing:
    """What the columns are to be in the files, where that is not told by their types alone."""

    #: BINARY and BLOB: bytes, and not a text of hexadecimal digits.
    raw_bytes: bool = False
    #: JSON: values of the file's own JSON, and not a text.
    nested: bool = False
    #: Names of the columns that are booleans, or types of columns that all are.
    booleans: tuple[str, ...] = ()

    def type_of(self, column: Column, source_type: str, *, is_json: bool) -> dict[str, Any]:
        """Return the type in the files."""
        if self.raw_bytes and column.is_binary:
            return _BYTES
        if column.name.lower() in self.booleans or source_type in set(self.booleans) & set(_BOOLEAN_TYPES):
            return _BOOLEAN
        return SUPER if self.nested and is_json else warehouse_type(source_type)

    def check(self, columns: Sequence[Column], *, types_known: bool) -> None:
        """Refuse booleans that are not there.

        Raises:
            ParameterError: names the first one.
        """
        known = {column.name.lower() for column in columns} | (set(_BOOLEAN_TYPES) if types_known else set())
        if unknown := [name for name in self.booleans if name not in known]:
            names = ", ".join(column.name for column in columns)
            raise ParameterError(f"--booleans {unknown[0]}: the rows have no such column; they have {names}")


@dataclass(frozen=True)
class Query:
    """A relation, and its columns as the protocol describes them (before conversion)."""

    relation: Relation
    columns: tuple[Column, ...]


def whole_table(connection: Connection, name: str, typing: Typing) -> Query:
    """Return the query for a table or view; columns keep the table's order and names.

    Raises:
        NotFound: the table is not there.
        ParameterError: a column that is to be a boolean is not there.
        UnsupportedValue: a column's type cannot be carried over; the message names it.
    """
    table = quote_table(name)
    columns = _probe(connection, f"SELECT * FROM {table} LIMIT 0")
    shown = connection.text_rows(f"SHOW COLUMNS FROM {table}")
    types = {str(row[0]): str(row[1]) for row in shown}
    typing.check(columns, types_known=True)
    documents = json_columns(connection.text_rows, table, types) if typing.nested else frozenset()
    relation = Relation(
        source=table,
        selection=_select_list(columns),
        columns=tuple(
            TypedColumn(c.name, typing.type_of(c, types[c.name], is_json=c.name in documents)) for c in columns
        ),
        source_types=types,
        countable=engine_of(connection, name) in TRANSACTIONAL,
        key=_primary_key(connection, table),
    )
    return Query(relation, columns)


def from_sql(connection: Connection, sql: str, typing: Typing) -> Query:
    """Return the query for a SELECT statement; JSON in it is known by its type, which MariaDB does not have.

    Raises:
        ParameterError: it is empty, or a column that is to be a boolean is not there.
        StatementFailed: it is no single SELECT, or two of its columns have the same name.
        UnsupportedValue: a column's type cannot be carried over; the message names it.
    """
    text = bare_query(sql, "mysql")
    if not text:
        raise ParameterError("--sql is empty; give a SELECT statement")
    derived = f"(\n{text}\n) AS extracted"
    columns = _probe(connection, f"SELECT * FROM {derived} LIMIT 0")
    typing.check(columns, types_known=False)
    types = [_protocol_type(column) for column in columns]
    relation = Relation(
        source=derived,
        selection=_select_list(columns),
        columns=tuple(
            TypedColumn(column.name, typing.type_of(column, kind, is_json=kind == "json"))
            for column, kind in zip(columns, types, strict=True)
        ),
        source_types={column.name: kind for column, kind in zip(columns, types, strict=True)},
        whole=None if any(column.type in _CONVERTED for column in columns) else text,
    )
    return Query(relation, columns)


def _primary_key(connection: Connection, table: str) -> tuple[str, ...]:
    """Return the columns of the primary key; a view has none."""
    rows = connection.rows(f"SHOW KEYS FROM {table} WHERE Key_name = 'PRIMARY'")
    return tuple((row[4] or b"").decode() for row in sorted(rows, key=lambda row: int(row[3] or b"0")))


def _probe(connection: Connection, statement: str) -> tuple[Column, ...]:
    columns = connection.start_query(statement)
    connection.fetch(1)
    unreadable = [column for column in columns if column.type.startswith(_UNREADABLE)]
    if unreadable:
        named = ", ".join(f"{column.name} ({column.type})" for column in unreadable)
        raise UnsupportedValue(
            f"{connection.where}: cannot write {named} as text; select it with --sql, for example as ST_AsText(column)"
        )
    return columns


def _select_list(columns: Sequence[Column]) -> str:
    return ", ".join(_expression(column) for column in columns)


def _expression(column: Column) -> str:
    name = quote_name(column.name)
    return f"{name} {_CONVERTED[column.type]} AS {name}" if column.type in _CONVERTED else name


def _protocol_type(column: Column) -> str:
    if column.is_binary:
        return _BINARY.get(column.type, column.type)
    size = f"(38,{column.scale})" if column.type == "decimal" else ""
    return f"{column.type}{size}{' unsigned' if column.unsigned else ''}"


def engine_of(connection: Connection, name: str) -> str | None:
    """Return the engine of a table in small letters: empty for a view, ``None`` where there is no such table."""
    database, table = split_table(name)
    schema = _literal(database) if database else "DATABASE()"
    rows = connection.text_rows(
        f"SELECT engine FROM information_schema.tables WHERE table_schema = {schema} AND table_name = {_literal(table)}"
    )
    return (rows[0][0] or "").lower() if rows else None


def _literal(text: str) -> str:
    """Return a string literal that no sql_mode reads in another way."""
    return f"_utf8mb4 0x{text.encode('utf-8').hex()}"
