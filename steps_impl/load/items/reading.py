"""The items of files, one after the other, each with its place for messages."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Literal

from core.errors import NotFound, ObjectReplaced, ParameterError, UnsupportedValue
from steps_impl.activities.copying.dialects import PLAIN_CSV, Dialect
from steps_impl.activities.copying.lines import to_rows
from steps_impl.activities.copying.reading import RecordReader
from steps_impl.activities.dynamodb.directory import MANIFEST, is_hidden
from steps_impl.activities.dynamodb.importing import Found
from steps_impl.activities.dynamodb.lines import read_line
from steps_impl.activities.dynamodb.values import from_file
from steps_impl.extract.files.source import FileSource, SourceFile
from steps_impl.formats.unpacked import BROKEN, unpacked
from steps_impl.load.items.typing import ItemForm, read_json
from stores.dynamodb import Item

ItemFormat = Literal["json", "dynamodb-json", "tsv", "csv"]
_BLOCK = 512 * 1024  # bytes
#: Bytes of a line of JSON at most: an item has 400 kB, and JSON may need six for one.
_LONGEST = 8 << 20
_DIALECTS = {"tsv": Dialect(separator=b"\t"), "csv": PLAIN_CSV}


@dataclass(frozen=True)
class ItemFiles:
    """Files that hold items, and how."""

    sources: Sequence[FileSource]
    form: ItemForm
    #: ``None``: as the manifest of the files says.
    format: ItemFormat | None
    columns: tuple[str, ...] | None
    header: bool
    cancelled: threading.Event

    def count(self, source: FileSource) -> int:
        """Return how many files a source has.

        Raises:
            NotFound: none.
        """
        if not (count := sum(1 for _ in _data_files(source))):
            raise NotFound(f"there are no files to load in {source.place}; check the path")
        return count

    def items(self) -> Iterator[Found]:
        """Yield each item.

        Raises:
            UnsupportedValue: one cannot be read; the message names file and line or row.
            RecordMalformed: text that is no record.
            ParameterError: the columns of a file are not known.
            ObjectReplaced: a file has not as many items as its manifest says.
            NotFound, StoreError: of the files.
            InterruptedError: cancelled.
        """
        for source in self.sources:
            for file in _data_files(source):
                yield from self._counted(file, self._of_file(source, file))

    def _counted(self, file: SourceFile, items: Iterator[Found]) -> Iterator[Found]:
        count = 0
        for found in items:
            if self.cancelled.is_set():
                raise InterruptedError("cancelled")
            count += 1
            yield found
        if file.rows not in (None, count):
            raise ObjectReplaced(f"{file.where} has {count} items, {file.rows} by its manifest; extract it again")

    def _of_file(self, source: FileSource, file: SourceFile) -> Iterator[Found]:
        form = self.format or source.known().format or "json"
        try:
            with source.open(file) as raw, unpacked(raw, file.name) as content:
                if form in _DIALECTS:
                    yield from self._rows(source, file, content, form)
                else:
                    yield from self._lines(file, content, typed=form != "json")
        except BROKEN:
            raise UnsupportedValue(f"{file.where} is not a whole compressed file; write it again") from None

    def _lines(self, file: SourceFile, content: IO[bytes], *, typed: bool) -> Iterator[Found]:
        for number in itertools.count(1):
            if not (line := content.readline(_LONGEST)):
                return
            place = f"{file.where}, line {number}"
            if len(line) >= _LONGEST:
                raise UnsupportedValue(f"{place}: the line is longer than {_LONGEST} bytes, and no item is that large")
            if line.strip():
                yield self._at(place, line, typed=typed), place, len(line)

    def _at(self, place: str, line: bytes, *, typed: bool) -> Item:
        try:
            return _typed(line) if typed else self.form.of_document(_document(line))
        except UnsupportedValue as error:
            raise UnsupportedValue(f"{place}: {error}") from None

    def _rows(self, source: FileSource, file: SourceFile, content: IO[bytes], form: str) -> Iterator[Found]:
        columns, number = self._columns(source), 0
        for chunk in RecordReader(_DIALECTS[form], file.where).chunks(iter(lambda: content.read(_BLOCK), b"")):
            rows = to_rows(chunk.text)
            size = len(chunk.text) // max(1, len(rows))
            for row in rows:
                number += 1
                if self.header and number == 1:
                    columns = columns or tuple((value or b"").decode(errors="replace") for value in row)
                    continue
                place = f"{file.where}, row {number}"
                yield self._of_row(place, columns, row), place, size

    def _of_row(self, place: str, columns: tuple[str, ...] | None, row: Sequence[bytes | None]) -> Item:
        if columns is None:
            raise ParameterError(f"{place}: nobody says which columns these are; give --columns or --header")
        try:
            return self.form.of_row(columns, row)
        except UnsupportedValue as error:
            raise UnsupportedValue(f"{place}: {error}") from None

    def _columns(self, source: FileSource) -> tuple[str, ...] | None:
        known = source.known().elements
        return self.columns or (None if known is None else tuple(str(element["name"]) for element in known))


def _data_files(source: FileSource) -> Iterator[SourceFile]:
    for file in source.files():
        name = file.name.rpartition("/")[2]
        if not is_hidden(name) and name != MANIFEST:
            yield file


def _typed(line: bytes) -> Item:
    """Read an item with its types; an export of DynamoDB's own to S3 has it inside of ``{"Item": …}``."""
    try:
        return read_line(line)
    except UnsupportedValue:
        document = _document(line)
        if list(document) != ["Item"] or not isinstance(inner := document["Item"], dict):
            raise
    return from_file(inner)


def _document(line: bytes) -> dict[str, object]:
    try:
        document = read_json(line)
    except UnicodeDecodeError:
        raise UnsupportedValue("the line is not UTF-8") from None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise UnsupportedValue('the line is no JSON object such as {"id": "x"}')
    return document
