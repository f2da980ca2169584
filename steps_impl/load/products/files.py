"""The files of one load into a database, from their addresses to what the step tells of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from steps_impl.activities.copying.feed import Feed
from steps_impl.activities.copying.lines import Chunk
from steps_impl.activities.copying.rows import Rows
from steps_impl.contract import StepContext, StepResult
from steps_impl.load.manifest import LoadInput
from steps_impl.load.products.columns import chosen
from steps_impl.load.products.identity import LoadName, name_of
from steps_impl.load.products.inputs import addresses_of, find_files, s3_store
from steps_impl.load.products.parameters import DatabaseLoadParameters
from steps_impl.load.products.rows import file_format, format_name, read_ahead, read_rows
from steps_impl.load.products.table import ProductTable

if TYPE_CHECKING:
    from stores.s3 import S3Store


@dataclass(frozen=True)
class Files:
    """Files that were found, and are read when their rows are taken."""

    parameters: DatabaseLoadParameters
    context: StepContext
    source: LoadInput
    s3: Callable[[], S3Store]

    @classmethod
    def find(cls, parameters: DatabaseLoadParameters, context: StepContext, region: str | None) -> Files:
        """Return the files that the parameters name.

        Raises:
            ParameterError, NotFound, DataError, StoreError: there are none, or they cannot be found.
        """
        s3 = cache(partial(s3_store, region))
        source = find_files(addresses_of(parameters.input, context.environment), s3)
        return cls(parameters, context, source, s3)

    def columns(self, table: ProductTable, where: str) -> tuple[str, ...]:
        """Return the columns that the values of a row go to.

        Raises:
            SchemaMismatch: the table has no such column.
        """
        given = self.parameters.columns or self.source.names
        return chosen(given, table.writable, table.made, f"{where}, table {table}")

    def chunks(self, columns: tuple[str, ...], documents: Callable[[], Collection[str]]) -> Iterator[Chunk]:
        """Return the rows, read ahead; ``documents`` tells which columns of the table hold JSON."""
        held = documents() if format_name(self.parameters, self.source) == "json" else ()
        form = file_format(self.parameters, self.source, columns, held)
        return read_ahead(read_rows(self.source.files, form, self.s3))

    def feed(self, rows: Rows, table: ProductTable, *, nul: str | None) -> Feed:
        """Return the checked rows; ``nul`` is as ``Feed``'s.

        Raises:
            LoadRejected: the first row has another number of values than columns were chosen.
        """
        feed = Feed(rows, self.context, nul=nul)
        told = self.parameters.input_format or self.source.format
        hint = "" if told else "; the files were taken for tsv: if they are not, give --input-format"
        feed.require_width(len(rows.names or ()), f"the table {table}", hint)
        return feed

    def name(self, table: ProductTable) -> LoadName:
        """Return what the load into a table is called."""
        return name_of(self.parameters.load_id, self.context.environment, self.source, str(table))

    def result(self, table: ProductTable, feed: Feed, counts: Mapping[str, Any]) -> StepResult:
        """Return what the step reports."""
        about = {"table": str(table), "mode": self.parameters.mode, "files": len(self.source.files)}
        return StepResult(rows=feed.count, bytes=feed.bytes, details={**about, "read": feed.count, **counts})
