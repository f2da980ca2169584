"""One unload: the rows of a table, or of ``transformSql`` over them, as files in S3.

``insertMode`` speaks of files here. TRUNCATE removes what a former unload left below the path and writes anew,
OVERWRITE_EXISTING writes over files of the same names, KEEP_EXISTING and APPEND write beside what is there, in files
that carry the name of the instance: so its retry writes over its own files, and nobody else's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from core.errors import ParameterError
from steps_impl.activities.objects.formats import CsvFormat, DataFormat
from steps_impl.activities.objects.nodes import RedshiftDataNode, S3DataNode
from steps_impl.activities.redshift_copy import statements
from steps_impl.activities.redshift_copy.authorization import authorization, region_clause, region_of
from steps_impl.activities.redshift_copy.command_options import CommandOptions
from steps_impl.activities.redshift_copy.exchange import InsertMode
from steps_impl.activities.redshift_copy.formats import NULL_CLAUSE, character, separator_of
from steps_impl.activities.redshift_copy.names import table_of
from steps_impl.activities.redshift_copy.records import attempt_of
from steps_impl.activities.redshift_copy.staging import chosen_format
from steps_impl.activities.redshift_copy.target import Target, demand_source
from steps_impl.activities.redshift_copy.warehouse import Warehouse
from steps_impl.load.staging import staging_name
from steps_impl.queries import bare_query
from steps_impl.tables.model import TableName
from stores.redshift import Session, Statement
from stores.s3 import S3Store
from stores.s3.location import parse_uri

#: Names that UNLOAD gives its files, behind the prefix (Developer Guide, UNLOAD).
_UNLOADED = r"(?:\d{4,}_part_\d{2,}|\d{3,}|manifest)(?:\.(?:gz|bz2|zst|csv|json|parquet))*"
_ODD = re.compile(r"[^\w.-]+")


@dataclass(frozen=True)
class Unload:
    """What one activity unloads, and how."""

    source: RedshiftDataNode
    output: S3DataNode
    mode: InsertMode
    transform_sql: str | None
    options: CommandOptions
    warehouse: Warehouse
    store: S3Store

    def run(self) -> dict[str, Any]:
        """Do it, again on a serialization failure; return what was done, for the result."""
        if not self.output.uri:
            raise ParameterError(f"{self.output.label} needs filePath or directoryPath to be written to")
        return self.warehouse.run(self._once)

    def _once(self, session: Session) -> dict[str, Any]:
        source = demand_source(session, table_of(self.source))
        if self.transform_sql:
            source = self._transformed(session, source)
        prefix = self._prefix()
        removed = self._make_room(prefix)
        self.warehouse.context.reporter.progress("unload")
        session.execute(self._statement(source, prefix))
        (rows,) = session.row(Statement("SELECT pg_last_unload_count()", "count the unloaded rows"))
        if self.output.manifest_file_path:
            self._move_manifest(prefix)
        return {"table": str(source.name), "to": prefix, "unloaded": int(rows), "removed_files": removed}

    def _transformed(self, session: Session, source: Target) -> Target:
        """Put the table's rows into ``staging`` and the rows of transformSql into a table of their own; return that."""
        for statement in statements.create_staging(source):
            session.execute(statement)
        session.execute(statements.fill(source, source.columns))
        name = staging_name()
        query = bare_query(self.transform_sql or "", "postgres")
        session.execute(Statement(f"CREATE TEMPORARY TABLE {name.sql} AS\n{query}", "run transformSql"))
        return demand_temporary(session, name.name)

    def _statement(self, source: Target, prefix: str) -> Statement:
        data_format = chosen_format(self.output.data_format, self.options, self.warehouse)
        query, text = self._rows(source, data_format)
        stated = CommandOptions() if data_format else self.options
        cluster = region_of(self.warehouse.server.host, self.warehouse.region, self.warehouse.identity.region)
        data = self.store.region(parse_uri(prefix).bucket)
        own_choice = stated.has("ALLOWOVERWRITE", "CLEANPATH")
        parameters = [
            text,
            "GZIP" if self.output.compression == "gzip" and not stated.has("GZIP") else "",
            "MANIFEST" if self.output.manifest_file_path and not stated.has("MANIFEST") else "",
            "" if own_choice else "ALLOWOVERWRITE",
            region_clause(stated, data, cluster),
        ]
        who = authorization(self.options, self.warehouse.role, self.warehouse.identity)
        return statements.unload(query, prefix, who, parameters)

    def _rows(self, source: Target, data_format: DataFormat | None) -> tuple[str, str]:
        """Return the query and how its rows are written."""
        query = statements.everything(source)
        if data_format is None:
            return query, self.options.for_unload
        delimiter = character(separator_of(data_format))
        if isinstance(data_format, CsvFormat) and not data_format.escape_char:
            quoted = statements.as_quoted_csv(source)
            if quoted is None:
                return query, f"FORMAT AS CSV {NULL_CLAUSE}"
            return quoted, f"DELIMITER {delimiter} {NULL_CLAUSE}"
        return query, f"DELIMITER {delimiter} ESCAPE {NULL_CLAUSE}"

    def _prefix(self) -> str:
        """Return what the files' names begin with."""
        if self.mode in ("TRUNCATE", "OVERWRITE_EXISTING"):
            return self.output.uri
        attempt = attempt_of(self.warehouse.context.environment)
        name = attempt.instance if attempt else staging_name().name
        return f"{self.output.uri}{_ODD.sub('-', name).strip('-')}_"

    def _make_room(self, prefix: str) -> int:
        """Remove the files of a former unload in the mode TRUNCATE; return how many."""
        if self.mode != "TRUNCATE" or self.options.has("CLEANPATH"):
            return 0
        former = re.compile(re.escape(prefix) + _UNLOADED)
        found = [item.uri for item in self.store.list(prefix) if former.fullmatch(item.uri)]
        self.store.delete(found)
        return len(found)

    def _move_manifest(self, prefix: str) -> None:
        """Put the manifest where the node wants it; UNLOAD writes it beside the files."""
        written, wanted = f"{prefix}manifest", str(self.output.manifest_file_path)
        if written != wanted:
            self.store.put_bytes(wanted, self.store.get_bytes(written, 64 << 20), sse=self.output.encrypted)
            self.store.delete([written])


def demand_temporary(session: Session, name: str) -> Target:
    """Return a temporary table of this session as a source."""
    schema = "SELECT table_schema FROM svv_columns WHERE table_name = %s LIMIT 1"
    ((found,),) = session.rows(Statement(schema, "look up the transformed rows", (name,)))
    return demand_source(session, TableName(name, str(found)))
