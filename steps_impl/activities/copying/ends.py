"""The two ends of a copy with a database in it: rows out of either kind of node, rows into either kind."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager

from core.sections.activities import CopyActivitySettings
from steps_impl.activities.copying.formats import column_names, dialect_of
from steps_impl.activities.copying.lines import Chunk, count
from steps_impl.activities.copying.reading import RecordReader
from steps_impl.activities.copying.rows import Rows
from steps_impl.activities.copying.s3_input import blocks, input_files
from steps_impl.activities.copying.s3_output import Outputs
from steps_impl.activities.copying.writing import file_writer
from steps_impl.activities.objects.nodes import AnySqlNode, S3DataNode
from steps_impl.activities.servers.resolve import resolve_node
from steps_impl.activities.servers.server import Engine, Server
from steps_impl.contract import ATTEMPT_VARIABLE, StepContext, StepResult
from stores.s3 import S3Store

_ATTEMPT = re.compile(r"_Attempt=\d+\Z")


class Ends:
    """Opens and fills the ends of one activity, called ``label``."""

    def __init__(self, label: str, settings: CopyActivitySettings, retries: int, context: StepContext) -> None:
        self._label, self._settings, self._retries, self._context = label, settings, retries, context

    @contextmanager
    def rows(self, node: S3DataNode | AnySqlNode, target: Engine | None) -> Iterator[Rows]:
        """Give the rows of a node; ``target`` is the engine that they are for, if it is one."""
        if isinstance(node, S3DataNode):
            with closing(self._chunks(node)) as chunks:
                yield Rows(chunks, column_names(node))
            return
        with self._query_rows(node, resolve_node(node), target) as rows:
            yield rows

    def _query_rows(self, node: AnySqlNode, server: Server, target: Engine | None) -> AbstractContextManager[Rows]:
        if server.engine == "mysql":
            from steps_impl.activities.copying.mysql_source import mysql_rows

            return mysql_rows(node, server, self._context, self._retries)
        if server.engine == "postgres":
            from steps_impl.activities.copying.postgres_source import postgres_rows

            return postgres_rows(node, server, self._context, self._retries, target)
        from steps_impl.activities.copying.redshift_source import redshift_rows

        return redshift_rows(node, server, self._context, self._retries, target)

    def _chunks(self, node: S3DataNode) -> Generator[Chunk]:
        store = S3Store()
        dialect = dialect_of(node, self._settings.dialect)
        compressed = node.compression == "gzip"
        for file in input_files(store, node):
            content = blocks(store, file.uri, compressed=compressed, undeclared=self._settings.undeclared_gzip)
            with closing(content):
                yield from RecordReader(dialect, file.uri).chunks(content)

    def into_database(self, rows: Rows, node: AnySqlNode, server: Server) -> StepResult:
        """Load the rows into a database, visible at once or not at all."""
        if server.engine == "mysql":
            from steps_impl.activities.copying.mysql_target import load_mysql as load
        elif server.engine == "postgres":
            from steps_impl.activities.copying.postgres_target import load_postgres as load
        else:
            from steps_impl.activities.copying.redshift_target import load_redshift as load
        feed = load(node, server, rows, self._context, self._retries)
        return StepResult(rows=feed.count, bytes=feed.bytes)

    def into_file(self, rows: Rows, node: S3DataNode) -> StepResult:
        """Write the rows to one file, which appears when it is complete."""
        writer = file_writer(dialect_of(node, self._settings.dialect))
        compressed = node.compression == "gzip"
        passed = 0
        with Outputs(S3Store(), encrypted=node.encrypted, compressed=compressed) as outputs:
            file = outputs.create(node.uri + (self._file_name(node) if node.directory_path else ""))
            for chunk in rows.chunks:
                file.write(writer.encode(chunk.text))
                passed += count(chunk.text)
                self._context.reporter.progress("write", rows=passed, bytes=outputs.bytes)
            if self._context.cancelled.is_set():
                raise InterruptedError("cancelled while writing")
            file.close()
        return StepResult(rows=passed, bytes=outputs.bytes, details={"files": 1})

    def _file_name(self, node: S3DataNode) -> str:
        """Return a name that each run of the schedule has for itself and its retries share."""
        extension = "tsv" if node.data_format and node.data_format.type == "TSV" else "csv"
        name = instance_name(self._context.environment) or self._label
        return f"{name}.{extension}" + (".gz" if node.compression == "gzip" else "")


def instance_name(environment: Mapping[str, str]) -> str:
    """Return ``CopyIt_2026-01-01T00:00:00`` of the attempt that this step works for; empty outside of an agent."""
    return _ATTEMPT.sub("", environment.get(ATTEMPT_VARIABLE, "")).removeprefix("@")
