"""Tables of DynamoDB beside a script of Hive that has no storage handler: filled before it, put back after it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from core.cancelling import on_cancel
from core.errors import UnsupportedValue
from core.settings import DynamoDbSettings
from steps_impl.activities.dynamodb.directory import is_hidden
from steps_impl.activities.dynamodb.exporting import Tally
from steps_impl.activities.dynamodb.rows import RowForm
from steps_impl.activities.dynamodb.segments import for_each_segment
from steps_impl.activities.dynamodb.shares import scan_of, write_pace
from steps_impl.activities.hive.handler import HandlerTable
from steps_impl.contract import StepContext
from stores.dynamodb import BatchWriter, DynamoDB, Item, Table


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
            form = RowForm(table.columns)
            with self._connected(table) as database:
                description = database.describe(table.table)
                if table.read:
                    self._read(table, form, database, description, self._directory(number, "in"))

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

        def work(segment: int) -> None:
            with (directory / f"{segment:06d}").open("wb") as file:
                for page in scan.pages(segment):
                    for item in page:
                        tally.count(file.write(form.line(item)))

        for_each_segment(scan, work, tally.tell, self._settings.concurrency)

    def _put(self, table: HandlerTable, directory: Path) -> int:
        tally = Tally(self._context.reporter, f"write {table.table}")
        with self._connected(table) as database:
            description = database.describe(table.table)
            for item, row in self._rows(table, directory):
                description.check_key(item, row)
            pace = write_pace(database, description, table.share("write"), self._settings)
            with BatchWriter(database, description, pace, self._settings.concurrency) as writer:
                for item, row in self._rows(table, directory):
                    writer.put(item, row)
                    tally.count(0)
                    tally.tell()
        return tally.items

    def _rows(self, table: HandlerTable, directory: Path) -> Iterator[tuple[Item, str]]:
        """Yield the items of the files that Hive has written, each with the words for it in messages."""
        form = RowForm(table.columns)
        number = 0
        for path in sorted(path for path in directory.rglob("*") if path.is_file() and not is_hidden(path.name)):
            with path.open(encoding="utf-8", newline="\n") as file:
                for line in file:
                    number += 1
                    row = f"row {number} inserted into {table.name}"
                    _stop_when(self._context.cancelled)
                    yield _item(form, line.removesuffix("\n"), row), row

    def _directory(self, number: int, side: str) -> Path:
        directory = self._place / str(number) / side
        directory.mkdir(parents=True, exist_ok=True)
        return directory

    @contextmanager
    def _connected(self, table: HandlerTable) -> Iterator[DynamoDB]:
        with DynamoDB(table.region) as database, on_cancel(self._context.cancelled, database.cancel):
            yield database


def _item(form: RowForm, line: str, row: str) -> Item:
    try:
        return form.item(line)
    except UnsupportedValue as error:
        raise UnsupportedValue(f"{row}: {error}") from None


def _stop_when(cancelled: threading.Event) -> None:
    if cancelled.is_set():
        raise InterruptedError("the step was asked to stop")
