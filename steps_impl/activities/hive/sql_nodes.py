r"""Nodes of SQL databases as tables of Hive: filled from a query before the script, loaded into a table after it.

Source: Developer Guide, *HiveActivity* ("For MySQL (Amazon RDS) inputs, the column names for the SQL query are used to
create the Hive column names"). All columns are STRING: Hive compares and computes with them as numbers where it must.
Rows lie in between as lines of text, in CopyActivity's form but for line ends in values, which are ``\n`` and ``\r``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.settings import load_settings
from steps_impl.activities.cluster import Cluster
from steps_impl.activities.copying.ends import Ends
from steps_impl.activities.copying.insert_query import parse_insert_query
from steps_impl.activities.copying.lines import Chunk, Place
from steps_impl.activities.copying.rows import Rows
from steps_impl.activities.copying.tables import name_parts
from steps_impl.activities.dynamodb.directory import is_hidden
from steps_impl.activities.hive.quoting import literal, name
from steps_impl.activities.objects.nodes import AnySqlNode
from steps_impl.activities.servers.resolve import resolve_node
from steps_impl.activities.servers.server import Server
from steps_impl.activities.servers.session import open_session
from steps_impl.activities.servers.tables import create_if_missing, full_name
from steps_impl.contract import StepResult
from steps_impl.queries import Dialect
from stores.sql import Statement

ROW_FORMAT = (
    "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe' WITH SERDEPROPERTIES ("
    "'field.delim'='\\u0009', 'escape.delim'='\\u005C', 'serialization.escape.crlf'='true')"
)
_ESCAPED = re.compile(rb"\\([\s\S])")
_TO_HIVE = {b"\n": b"\\n", b"\r": b"\\r"}
_FROM_HIVE = {b"n": b"\\\n", b"r": b"\\\r"}
_BLOCK = 1 << 20
_COLUMNS = (
    "SELECT column_name FROM information_schema.columns WHERE table_name = %s "
    "AND (table_schema = %s OR %s IS NULL AND table_schema IN ({})) ORDER BY ordinal_position"
)


@dataclass(frozen=True)
class SqlOutput:
    """A table of Hive whose rows go to a table of a database in the end."""

    table: str
    node: AnySqlNode
    server: Server
    columns: tuple[str, ...]
    directory: Path
    ends: Ends
    cluster: Cluster

    def create(self) -> str:
        """Return the statement that makes the table."""
        return _create(self.table, self.columns)

    def unload(self) -> str:
        """Return the statement that writes its rows to a local directory."""
        target = literal(str(self.directory))
        return f"INSERT OVERWRITE LOCAL DIRECTORY {target}\n{ROW_FORMAT}\nSELECT * FROM {name(self.table)}"

    def load(self) -> StepResult:
        """Load the rows that were written, all or none.

        Raises:
            LoadRejected, UnsupportedValue, SchemaMismatch: a row that does not fit, with its number.
            StoreError, InterruptedError: of the database.
        """
        rows = Rows(self._chunks(), self.columns)
        return self.ends.into_database(rows, self.node, self.server)

    def _chunks(self) -> Iterator[Chunk]:
        place = Place(f"{self.node.label}, of the script")
        files = sorted(path for path in self.directory.rglob("*") if path.is_file() and not is_hidden(path.name))
        for path in files:
            with path.open("rb") as file:
                while lines := file.readlines(_BLOCK):
                    chunk = Chunk(_translated(b"".join(lines), _FROM_HIVE), place)
                    yield chunk
                    place = place.after(chunk.text)


@dataclass(frozen=True)
class SqlTables:
    """Makes tables of the SQL nodes of one activity."""

    cluster: Cluster

    def read(self, table: str, node: AnySqlNode) -> tuple[list[str], tuple[str, ...]]:
        """Fetch a node's rows; return the statements that make a table of them, and its columns.

        Raises:
            StoreError, ParameterError, UnsupportedValue: of the database and the query.
            InterruptedError: cancelled.
        """
        path = self.cluster.new_file("rows")
        with self._ends().rows(node, None) as rows, path.open("wb") as file:
            names = rows.names or ()
            for chunk in rows.chunks:
                file.write(_translated(chunk.text, _TO_HIVE))
                self.cluster.context.reporter.progress(f"read {node.label}", bytes=file.tell())
        load = f"LOAD DATA LOCAL INPATH {literal(str(path))} INTO TABLE {name(table)}"
        return [_create(table, names), load], names

    def written(self, table: str, node: AnySqlNode) -> SqlOutput:
        """Return the table for a node that is an output; its own table is made if ``createTableSql`` says how.

        Raises:
            StoreError, ParameterError: of the database and the node.
        """
        server = resolve_node(node)
        columns = self._columns(node, server)
        return SqlOutput(table, node, server, columns, self.cluster.new_file("out"), self._ends(), self.cluster)

    def _columns(self, node: AnySqlNode, server: Server) -> tuple[str, ...]:
        """Return the columns of the node's table; of an ``insertQuery`` of others, as many as it takes."""
        found: tuple[str, ...] = ()
        if node.table:
            schema, table = name_parts(node)
            here = "DATABASE()" if server.engine == "mysql" else "current_schema(), 'public'"
            statement = Statement(_COLUMNS.format(here), f"look at {node.table}", (table, schema, schema))
            with open_session(server, self.cluster.context.cancelled) as session:
                create_if_missing(session, full_name(node.table, node.schema_name), node.create_table_sql)
                found = tuple(str(column) for (column,) in session.rows(statement))
        if node.insert_query:
            places = parse_insert_query(node.insert_query, _dialect(server)).places
            return found if len(found) == places else tuple(f"c{number}" for number in range(1, places + 1))
        return found

    def _ends(self) -> Ends:
        settings = load_settings()
        return Ends(self.cluster.label, settings.copy_activity, settings.etl.connection_retries, self.cluster.context)


def _create(table: str, columns: Sequence[str]) -> str:
    declared = ", ".join(f"{name(column)} STRING" for column in columns)
    return f"CREATE TEMPORARY TABLE {name(table)} ({declared})\n{ROW_FORMAT}\nSTORED AS TEXTFILE"


def _translated(text: bytes, escapes: dict[bytes, bytes]) -> bytes:
    """Exchange the escapes of line ends; the others are the same on both sides."""
    if b"\\" not in text:
        return text
    return _ESCAPED.sub(lambda match: escapes.get(match[1], match[0]), text)


def _dialect(server: Server) -> Dialect:
    return "mysql" if server.engine == "mysql" else "postgres"
