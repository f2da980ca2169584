"""Tables of DynamoDB beside a script of Hive that has no storage handler: filled before it, put back after it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from core.cancelling import on_cancel
from core.errors import UnsupportedValue
from core.sections.activities import DynamoDbSettings
from steps_impl.activities.dynamodb.directory import files_to_read, is_hidden
from steps_impl.activities.dynamodb.exporting import write_segments
from steps_impl.activities.dynamodb.importing import BatchTarget, Found, put_items, read_items
from steps_impl.activities.dynamodb.rows import RowForm
from steps_impl.activities.dynamodb.shares import scan_of
from steps_impl.activities.dynamodb.tally import Tally
from steps_impl.activities.hive.handler import HandlerTable
from steps_impl.contract import StepContext
from stores.dynamodb import DynamoDB, Item, Table
from stores.s3 import S3Store


class Staging:
    """The tables of one script; table number n has the local directories ``<place>/n/in`` and ``<place>/n/out``."""

    def __init__(
        self, tables: Sequence[HandlerTable], place: Path, settings: DynamoDbSettings, context: StepContext
    ) -> None:
        self._tables = tables
        self._place = place
        self._settings = settings
        self._context = context

    def fill(self) -> None:
        """Write down the items of every table that is read, and see to it that the others are there.

        Raises:
            ParameterError: a column has a type that no attribute can have.
            StoreError, InterruptedError: a table is not there, or cannot be read.
        """
        for number, table in enumerate(self._tables, start=1):
            form, directory = RowForm(table.columns), self._directory(number, "in")
            if table.location:
                self._read_files(table.location, form, directory)
                continue
            with self._connected(table) as database:
                description = database.describe(table.table)
                if table.read:
                    self._read(table, form, database, description, directory)

    def put_back(self) -> int:
        """Put the rows of every table that was inserted into; return how many.

        All are looked at before the first is put, so that a bad one changes nothing.

        Raises:
            UnsupportedValue: a row is no item of the table; the message names table and row.
            StoreError, InterruptedError: DynamoDB does not take them.
        """
        written = [(number, table) for number, table in enumerate(self._tables, start=1) if table.written]
        return sum(self._put(table, self._directory(number, "out")) for number, table in written)

    def _read(
        self, table: HandlerTable, form: RowForm, database: DynamoDB, description: Table, directory: Path
    ) -> None:
        tally = Tally(self._context.reporter, f"read {table.table}")
        scan = scan_of(database, description, table.share("read"), self._settings)
        write_segments(scan, directory, form.line, tally, self._settings.concurrency)

    def _read_files(self, location: str, form: RowForm, directory: Path) -> None:
        store, tally = S3Store(), Tally(self._context.reporter, f"read {location}")
        with (directory / "rows").open("wb") as file:
            for item, _, _ in read_items(store, files_to_read(store, location), self._context.cancelled):
                tally.count(file.write(form.line(item)))
                tally.tell()

    def _put(self, table: HandlerTable, directory: Path) -> int:
        rows = RowForm(table.columns), directory, f"inserted into {table.name}", self._context.cancelled
        with self._connected(table) as database:
            target = BatchTarget(database, database.describe(table.table), table.share("write"), self._settings)
            return put_items(target, lambda: read_rows(*rows), self._context).items

    def _directory(self, number: int, side: str) -> Path:
        directory = self._place / str(number) / side
        directory.mkdir(parents=True, exist_ok=True)
        return directory

    @contextmanager
    def _connected(self, table: HandlerTable) -> Iterator[DynamoDB]:
        with DynamoDB(table.region) as database, on_cancel(self._context.cancelled, database.cancel):
            yield database


def read_rows(form: RowForm, directory: Path, what: str, cancelled: threading.Event) -> Iterator[Found]:
    """Yield the items of the files that Hive has written to a local directory; ``what`` follows ``row 7`` in messages.

    Raises:
        UnsupportedValue: a row is no item; the message names it.
        InterruptedError: cancelled.
    """
    number = 0
    for path in sorted(path for path in directory.rglob("*") if path.is_file() and not is_hidden(path.name)):
        with path.open(encoding="utf-8", newline="\n") as file:
            for line in file:
                if cancelled.is_set():
                    raise InterruptedError("the step was asked to stop")
                number += 1
                row = f"row {number} {what}"
                yield _item(form, line.removesuffix("\n"), row), row, len(line)


def _item(form: RowForm, line: str, row: str) -> Item:
    try:
        return form.item(line)
    except UnsupportedValue as error:
        raise UnsupportedValue(f"{row}: {error}") from None
