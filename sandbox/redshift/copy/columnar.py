"""COPY from Parquet and ORC: column by column and batch by batch, without Python for a row.

Columns are matched by their place. Redshift runs such a COPY through Spectrum, hence the words of its errors; there is
no MAXERROR: the first value that does not fit fails the load.
"""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any, Final

from sandbox.redshift.copy.arrow_text import Write, writer
from sandbox.redshift.copy.columns import Column
from sandbox.redshift.copy.command import CopyCommand
from sandbox.redshift.copy.report import Place, Report
from sandbox.redshift.copy.rows import replaced
from sandbox.redshift.copy.sources import Readable
from sandbox.redshift.cursor import quote_name
from sandbox.redshift.errors import SqlError
from sandbox.redshift.libraries import library
from sandbox.redshift.upstream import Upstream, UpstreamError

_BATCH: Final = 16 * 1024  # rows
_COLUMN: Final = re.compile(r'column ([^:"]+)|column "([^"]+)"')
_TYPES: Final = {
    "int2": "SMALLINT",
    "int4": "INTEGER",
    "int8": "BIGINT",
    "float4": "REAL",
    "float8": "DOUBLE",
    "bool": "BOOLEAN",
    "bpchar": "CHAR",
    "jsonb": "SUPER",
    "bytea": "VARBYTE",
}


@dataclass(frozen=True)
class _Filling:
    """A column of the table and what writes its values."""

    column: Column
    write: Write


class ColumnarLoad:
    """Loads files of one COPY into the table; ``check_client`` raises when nobody waits any more."""

    def __init__(
        self,
        upstream: Upstream,
        copy: CopyCommand,
        columns: list[Column],
        report: Report,
        check_client: Callable[[], None],
    ) -> None:
        self._upstream = upstream
        self._copy = copy
        self._columns = columns
        self._report = report
        self._check_client = check_client

    def load(self, readable: Readable) -> int:
        """Load one file; return the number of rows.

        Raises:
            SqlError: it is no such file, does not fit the table, or holds a value that does not.
        """
        with tempfile.TemporaryFile(prefix="redshift-copy-") as file:
            _fetch(readable, file)
            schema, batches = self._opened(file, readable.name)
            fillings = self._fillings(schema, readable.name)
            try:
                return self._send(fillings, batches, readable.name)
            except UpstreamError as error:
                raise self._refused(error, readable.name) from error
            except (library("pyarrow").ArrowException, OSError) as error:
                raise _scan_error(f"File '{readable.name}' is damaged.", 15001) from error

    def _opened(self, file: Any, name: str) -> tuple[Any, Iterator[Any]]:
        pyarrow = library("pyarrow")
        try:
            if self._copy.columnar == "parquet":
                source = library("pyarrow.parquet").ParquetFile(file)
                return source.schema_arrow, source.iter_batches(batch_size=_BATCH)
            source = library("pyarrow.orc").ORCFile(file)
        except (pyarrow.ArrowException, OSError) as error:
            raise _scan_error(f"File '{name}' has an invalid version number.", 15001) from error
        return source.schema, _stripes(source)

    def _fillings(self, schema: Any, name: str) -> list[_Filling]:
        wanted, given = len(self._columns), len(schema)
        if given > wanted or (given < wanted and not self._copy.fill_record):
            raise _scan_error(
                "Unmatched number of columns between table and file. "
                f"Table columns: {wanted}, Data columns: {given}, File name: {name}",
                15007,
            )
        return [self._filling(column, field, name) for column, field in zip(self._columns, schema, strict=False)]

    def _filling(self, column: Column, field: Any, name: str) -> _Filling:
        write = writer(column, field.type, as_json=self._copy.serialize_to_json)
        if write is None:
            form = self._copy.columnar.capitalize() if self._copy.columnar == "parquet" else "ORC"
            raise _scan_error(
                f"File '{name}' has an incompatible {form} schema for column '{self._copy.source}.{column.name}'. "
                f"Column type: {_described(column)}, {form} schema: {field.type} {field.name}",
                15001,
            )
        return _Filling(column, write)

    def _send(self, fillings: list[_Filling], batches: Iterator[Any], name: str) -> int:
        names = ", ".join(quote_name(filling.column.name) for filling in fillings)
        table = quote_name(*self._copy.table)
        options = "FORMAT csv, NULL '', ENCODING 'UTF8'"
        self._upstream.begin_copy(f"COPY {table} ({names}) FROM STDIN WITH ({options})")
        try:
            first = 1
            for batch in batches:
                self._check_client()
                if batch.num_rows:
                    self._upstream.copy_data(self._lines(fillings, batch, name, first))
                first += batch.num_rows
        except UpstreamError:
            raise
        except BaseException:
            self._upstream.fail_copy()
            raise
        return self._upstream.end_copy()

    def _lines(self, fillings: list[_Filling], batch: Any, name: str, first: int) -> bytes:
        """Return a batch as CSV: every value in quotes, so that an empty text is not NULL."""
        pyarrow, csv = library("pyarrow"), library("pyarrow.csv")
        columns = [
            self._checked(filling, filling.write(values), name, first)
            for filling, values in zip(fillings, batch.columns, strict=True)
        ]
        table = pyarrow.table(columns, names=[str(number) for number in range(len(columns))])
        sink = io.BytesIO()
        csv.write_csv(table, sink, csv.WriteOptions(include_header=False, quoting_style="all_valid"))
        return sink.getvalue()

    def _checked(self, filling: _Filling, values: Any, name: str, first: int) -> Any:
        """Return the values of a text column as texts, if they are UTF-8 and short enough."""
        column = filling.column
        if not column.is_text:
            return values
        compute = library("pyarrow.compute")
        texts = self._decoded(column, values, name, first)
        if compute.any(compute.match_substring(texts, "\0")).as_py():
            raise _scan_error(f"A value of column {column.name} holds a NUL byte (0x00), File name: {name}", 1216)
        longest = compute.max(compute.binary_length(texts)).as_py() or 0
        if column.length and longest > column.length:
            raise _scan_error(
                f"The length of the data column {column.name} is longer than the length defined in the table. "
                f"Table: {column.length}, Data: {longest}, File name: {name}",
                15007,
            )
        if column.type == "bpchar" and not compute.all(compute.string_is_ascii(texts)).as_py() and len(texts):
            raise _scan_error(
                f"Multibyte character not supported for CHAR, column {column.name}, File name: {name}", 1220
            )
        return texts

    def _decoded(self, column: Column, values: Any, name: str, first: int) -> Any:
        pyarrow = library("pyarrow")
        try:
            return values.cast("string")
        except pyarrow.ArrowInvalid as error:
            if self._copy.replacement is None or column.type != "varchar":
                raise _scan_error(
                    f"String contains invalid or unsupported UTF8 codepoints, column {column.name}, File name: {name}",
                    1220,
                ) from error
        return pyarrow.array(
            [self._replaced(column, raw, Place(name, first + row, b"")) for row, raw in enumerate(values.to_pylist())],
            "string",
        )

    def _replaced(self, column: Column, raw: bytes | None, place: Place) -> str | None:
        if raw is None:
            return None
        try:
            return raw.decode()
        except UnicodeDecodeError:
            self._report.replaced(place, column)
            return replaced(raw, self._copy.replacement or "?")

    def _refused(self, error: UpstreamError, name: str) -> Exception:
        """Return the error for a value that Postgres found wrong; its own text would show the value."""
        code = error.fields.get("C", "")
        if code[:2] not in ("22", "23"):
            return error
        match = _COLUMN.search(error.fields.get("W", "") or error.fields.get("M", ""))
        column = error.fields.get("c") or (match[1] or match[2] if match else "?")
        if code == "23502":
            return _scan_error(f"NULL in column {column}, which is declared NOT NULL, File name: {name}", 1213)
        return _scan_error(f"A value of column {column} does not fit its type, File name: {name}", 1216)


def _fetch(readable: Readable, file: IO[bytes]) -> None:
    """Bring a file to the disk, where its columns can be read one by one."""
    for block in readable.open():
        try:
            file.write(block)
        except OSError as error:
            complaint = f"The sandbox has no room on its disk for {readable.name}: {error.strerror}"
            raise SqlError(complaint, "53100") from error
    file.seek(0)


def _stripes(source: Any) -> Iterator[Any]:
    for number in range(source.nstripes):
        stripe = source.read_stripe(number)
        for start in range(0, stripe.num_rows, _BATCH):
            yield stripe.slice(start, _BATCH)


def _described(column: Column) -> str:
    if column.type == "numeric":
        return f"DECIMAL({column.length}, {column.scale})"
    return _TYPES.get(column.type, column.type.upper())


def _scan_error(context: str, code: int) -> SqlError:
    return SqlError(
        "Spectrum Scan Error",
        detail=f"\n  error:  Spectrum Scan Error\n  code:      {code}\n  context:   {context}\n",
    )
