"""Items from where a HiveCopyActivity reads to where it writes: tables of DynamoDB, directories of files in S3.

Source: Developer Guide, *HiveCopyActivity*, *DynamoDBExportDataFormat*. Files are written as Hive writes such a table
(``steps_impl.activities.dynamodb.lines``); what was in the directory is replaced, as by ``INSERT OVERWRITE``. Files of
the export tool are read as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.cancelling import on_cancel
from core.errors import ParameterError
from core.sections.activities import DynamoDbSettings
from steps_impl.activities.dynamodb.directory import OutputDirectory, files_to_read, is_hidden
from steps_impl.activities.dynamodb.exporting import copy_items, write_files, write_segments
from steps_impl.activities.dynamodb.importing import BatchTarget, Found, put_items, read_items
from steps_impl.activities.dynamodb.lines import hive_line
from steps_impl.activities.dynamodb.rows import RowForm
from steps_impl.activities.dynamodb.shares import scan_of
from steps_impl.activities.dynamodb.tally import Tally
from steps_impl.activities.objects.nodes import DynamoDBDataNode, S3DataNode
from steps_impl.contract import StepContext
from stores.dynamodb import DynamoDB, Scan
from stores.s3 import S3Store

ItemNode = DynamoDBDataNode | S3DataNode


@dataclass(frozen=True)
class ItemCopy:
    """Moves items from ``source`` to ``target``."""

    source: ItemNode
    target: ItemNode
    settings: DynamoDbSettings
    context: StepContext

    def straight(self) -> Tally:
        """Copy all items.

        Raises:
            ParameterError: the target is a file.
            UnsupportedValue: a line is no item, or an item cannot be where it should go.
            NotFound, StoreError, InterruptedError: of DynamoDB and S3.
        """
        if isinstance(self.source, S3DataNode):
            return self.deliver(self._lines(self.source))
        with self._scan(self.source) as scan:
            if isinstance(self.target, S3DataNode):
                return self._to_files(scan, self.target)
            with self._batches(self.target) as batches, batches.writer() as writer:
                tally = Tally(self.context.reporter, f"copy {scan.table.name}")
                copy_items(scan, writer, tally, self.settings.concurrency)
                return tally

    def spill(self, form: RowForm, directory: Path) -> None:
        """Write the source's items as rows to files of a local directory; errors as ``straight``."""
        tally = Tally(self.context.reporter, "read")
        if isinstance(self.source, DynamoDBDataNode):
            with self._scan(self.source) as scan:
                write_segments(scan, directory, form.line, tally, self.settings.concurrency)
            return
        with (directory / "rows").open("wb") as file:
            for item, _, _ in self._lines(self.source)():
                tally.count(file.write(form.line(item)))
                tally.tell()

    def deliver(self, items: Callable[[], Iterator[Found]]) -> Tally:
        """Write items to the target; errors as ``straight``."""
        if isinstance(self.target, DynamoDBDataNode):
            with self._batches(self.target) as batches:
                return put_items(batches, items, self.context)
        directory, tally = self._directory(self.target), Tally(self.context.reporter, "write")
        lines = (hive_line(item) for item, _, _ in items())
        part = directory.write(directory.hive_name(0), lines, tally.count)
        directory.replace([part] if part else [], _is_data)
        return tally

    def _to_files(self, scan: Scan, node: S3DataNode) -> Tally:
        directory, tally = self._directory(node), Tally(self.context.reporter, f"copy {scan.table.name}")
        parts = write_files(scan, directory, directory.hive_name, hive_line, tally, self.settings.concurrency)
        directory.replace(parts, _is_data)
        return tally

    def _lines(self, node: S3DataNode) -> Callable[[], Iterator[Found]]:
        store = S3Store()
        uris = [node.file_path] if node.file_path else files_to_read(store, node.uri)
        return lambda: read_items(store, uris, self.context.cancelled)

    def _directory(self, node: S3DataNode) -> OutputDirectory:
        if not node.directory_path:
            raise ParameterError(f"{node.label} is an output with a filePath; directories are written: directoryPath")
        return OutputDirectory(S3Store(), node.uri, node.encrypted)

    @contextmanager
    def _scan(self, node: DynamoDBDataNode) -> Iterator[Scan]:
        with self._connected(node) as database:
            table = database.describe(node.table_name)
            yield scan_of(database, table, node.read_throughput_percent, self.settings)

    @contextmanager
    def _batches(self, node: DynamoDBDataNode) -> Iterator[BatchTarget]:
        with self._connected(node) as database:
            table = database.describe(node.table_name)
            yield BatchTarget(database, table, node.write_throughput_percent, self.settings)

    @contextmanager
    def _connected(self, node: DynamoDBDataNode) -> Iterator[DynamoDB]:
        with DynamoDB(node.region_name) as database, on_cancel(self.context.cancelled, database.cancel):
            yield database


def _is_data(name: str) -> bool:
    return not is_hidden(name)
