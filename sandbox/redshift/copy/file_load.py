"""One file of a COPY on its way into Postgres."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from sandbox.redshift.copy.columns import Column
from sandbox.redshift.copy.command import CopyCommand
from sandbox.redshift.copy.faults import BadRecord
from sandbox.redshift.copy.records import Layout, postgres_null
from sandbox.redshift.copy.report import Place, Report
from sandbox.redshift.copy.rows import RowReader
from sandbox.redshift.cursor import quote_name, quote_text
from sandbox.redshift.errors import SqlError
from sandbox.redshift.protocol import Closed
from sandbox.redshift.upstream import Upstream, UpstreamError

ROW_LIMIT: Final = 4 << 20  # bytes; the largest input row of Redshift
_CONTEXT: Final = re.compile(r"COPY .*?, line (\d+)(?:, column ([^:]+))?")


@dataclass(frozen=True)
class Refused:
    """A record that Postgres alone found wrong."""

    line: int
    record: bytes
    column: Column | None
    reason: str


class FileLoad:
    """One attempt at one file.

    Records at the lines ``skip`` are left out; ``check_client`` raises when nobody waits for the load any more.
    """

    def __init__(
        self,
        upstream: Upstream,
        copy: CopyCommand,
        columns: list[Column],
        report: Report,
        file: str,
        skip: frozenset[int],
        check_client: Callable[[], None],
    ) -> None:
        self._upstream = upstream
        self._copy = copy
        self._columns = columns
        self._report = report
        self._file = file
        self._skip = skip
        self._check_client = check_client
        self._careful = False
        self._line = 1
        self._layout = Layout(copy, columns)
        self._place = Place(file, 0, b"")
        self._written: list[tuple[int, bytes]] = []  # careful: line and record of every line that Postgres was given

    def run(self, blocks: Iterator[bytes], *, careful: bool) -> int:
        """Load; return the number of rows.

        Raises:
            UpstreamError: Postgres refused.
            Rejected: too many records are bad.
            SqlError: the file cannot be read.
        """
        self._careful = careful
        self._reader = RowReader(self._copy, self._columns, self._note_replacement, csv=self._copy.csv and not careful)
        self._upstream.begin_copy(self._statement())
        try:
            for data in self._lines(blocks):
                self._check_client()
                if data:
                    self._upstream.copy_data(data)
        except (UpstreamError, Closed):
            raise  # the COPY is over already
        except BaseException:
            self._upstream.fail_copy()
            raise
        return self._upstream.end_copy()

    def _lines(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield what Postgres is given for the file."""
        for block in self._whole_records(blocks):
            yield self._for_postgres(block)

    def find_refused(self, fields: dict[str, str]) -> Refused:
        """Return the record that Postgres' error speaks of.

        Raises:
            UpstreamError: it speaks of none.
        """
        match = _CONTEXT.search(fields.get("W", ""))
        number = int(match[1]) - 1 if match else -1
        if match is None or not 0 <= number < len(self._written):
            raise UpstreamError(fields)
        line, record = self._written[number]
        column = next((column for column in self._columns if column.name == match[2]), None)
        return Refused(line, record, column, fields.get("M", ""))

    def _statement(self) -> str:
        copy = self._copy
        table, names = quote_name(*copy.table), ", ".join(quote_name(column.name) for column in self._columns)
        form = "csv" if copy.csv and not self._careful else "text"
        options = [
            f"FORMAT {form}",
            f"DELIMITER {quote_text(copy.delimiter.decode())}",
            f"NULL {quote_text(postgres_null(copy).decode())}",
            "ENCODING 'UTF8'",
        ]
        if form == "csv":
            options.append(f"QUOTE {quote_text(copy.quote.decode())}")
        return f"COPY {table} ({names}) FROM STDIN WITH ({', '.join(options)})"

    def _whole_records(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the file in blocks that end where a record ends; without the header."""
        rest, header, first = b"", self._copy.ignore_header, True
        for block in blocks:
            rest += block
            if first and b"\n" in rest:
                first = False
                self._layout = Layout(self._copy, self._columns, _line_end(rest))
            while header and (end := rest.find(b"\n") + 1):
                rest, header = rest[end:], header - 1
                self._line += 1
            if header:
                continue
            end = self._layout.last_end(rest)
            if end:
                yield rest[:end]
                rest = rest[end:]
            if len(rest) > ROW_LIMIT:
                raise SqlError(f"A row of {self._file} that begins at line {self._line} is larger than 4 MB")
        if rest and not header:
            yield rest + self._layout.line_end

    def _for_postgres(self, block: bytes) -> bytes:
        """Return the block with every record that is not plain rewritten."""
        pieces: list[bytes] = []
        position = 0
        search_plain = not self._careful and _is_utf8(block)
        while position < len(block):
            if search_plain and (end := self._layout.plain_until(block, position)) > position:
                pieces.append(self._unescaped(block[position:end]))
            else:
                end = self._layout.record_end(block, position)
                end = len(block) if end < 0 else end
                pieces.append(self._rewritten(block[position:end]))
            self._line += block.count(b"\n", position, end)
            position = end
        return b"".join(pieces)

    def _unescaped(self, records: bytes) -> bytes:
        """Without ESCAPE a backslash is an ordinary character; to Postgres' text format it never is."""
        return records if self._copy.escape or self._copy.csv else records.replace(b"\\", b"\\\\")

    def _rewritten(self, record: bytes) -> bytes:
        record = _without_line_end(record, escape=self._copy.escape)
        if not record and self._copy.ignore_blank_lines:
            return b""
        return self._line_for(record, lambda: self._reader.read(record))

    def _line_for(self, record: bytes, read: Callable[[], list[str | None]]) -> bytes:
        """Return the line of the record at the current line; nothing when it is refused."""
        if self._line in self._skip:
            return b""
        self._place = Place(self._file, self._line, record)
        try:
            line = self._reader.write(read())
        except BadRecord as bad:
            self._report.refuse(self._place, bad)
            return b""
        if not self._careful:
            return line + self._layout.line_end
        self._written.append((self._line, record))
        return line + b"\n"

    def _note_replacement(self, column: Column) -> None:
        self._report.replaced(self._place, column)


def _line_end(data: bytes) -> bytes:
    newline = data.find(b"\n")
    return b"\r\n" if data[newline - 1 : newline] == b"\r" else b"\n"


def _without_line_end(record: bytes, *, escape: bool) -> bytes:
    record = record.removesuffix(b"\n")
    if record.endswith(b"\r") and not (escape and record.endswith(b"\\\r")):
        return record[:-1]
    return record


def _is_utf8(block: bytes) -> bool:
    if block.isascii():
        return True
    try:
        block.decode()
    except UnicodeDecodeError:
        return False
    return True
