"""UNLOAD as Parquet: the rows of a query, which come as CSV, become columns of Arrow and these the files.

Row groups are as large as ROWGROUPSIZE says, measured in memory; two of them are held at a time at most, one for each
slice. A TIMESTAMPTZ loses its zone, as AWS says of UNLOAD; SUPER is text, as it is there.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, Final

from sandbox.redshift.cursor import quote_name
from sandbox.redshift.errors import SqlError
from sandbox.redshift.libraries import library
from sandbox.redshift.unload.command import UnloadCommand
from sandbox.redshift.unload.files import S3Object, SliceWriter
from sandbox.redshift.upstream import Described
from stores.s3.location import S3Location

_NUMERIC, _BYTES, _DATE, _TIMESTAMP, _TIMESTAMPTZ = 1700, 17, 1082, 1114, 1184  # type oids
_LEAST_BLOCK: Final = 1 << 20  # bytes
#: What a number without a declared scale is written as: Redshift always has one, Postgres' expressions have not.
_OPEN_NUMERIC: Final = (38, 10)


class ParquetForm:
    """The rows of one UNLOAD as Arrow has them."""

    header = b""

    def __init__(self, columns: Sequence[Described]) -> None:
        self._columns = columns
        pyarrow = library("pyarrow")
        self.schema = pyarrow.schema([(column.name, _written(column)) for column in columns])
        self._names = [f"c{number}" for number in range(len(columns))]
        self._read = {name: _read(column) for name, column in zip(self._names, columns, strict=True)}

    def copy_statement(self, query: str) -> str:
        """Return the COPY that brings the rows of a query."""
        names = [quote_name(name) for name in self._names]
        values = [_as_text(name, column) for name, column in zip(names, self._columns, strict=True)]
        rows = f"SELECT {', '.join(values)} FROM ({query}\n) AS unloaded ({', '.join(names)})"
        return f"COPY ({rows}) TO STDOUT WITH (FORMAT csv, NULL '', ENCODING 'UTF8')"

    def convert(self, block: bytes) -> bytes:
        """Return the block as it is."""
        return block

    def table(self, block: bytes) -> Any:
        """Return whole lines of CSV as a table.

        Raises:
            SqlError: Parquet has no such value.
        """
        pyarrow, csv = library("pyarrow"), library("pyarrow.csv")
        try:
            table = csv.read_csv(
                io.BytesIO(block),
                csv.ReadOptions(
                    column_names=self._names, use_threads=False, block_size=max(len(block) + 1, _LEAST_BLOCK)
                ),
                csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
                csv.ConvertOptions(
                    column_types=self._read,
                    null_values=[""],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=False,
                    true_values=["t"],
                    false_values=["f"],
                ),
            )
            columns = [_finished(values, column) for values, column in zip(table.columns, self._columns, strict=True)]
            return pyarrow.table(
                [values.cast(kind) for values, kind in zip(columns, self.schema.types, strict=True)], self.schema
            )
        except pyarrow.ArrowInvalid as error:
            complaint = "A value of the query cannot be written as Parquet"
            raise SqlError(complaint) from error


def _read(column: Described) -> Any:
    """Return the type in which Arrow reads a column's text."""
    pyarrow = library("pyarrow")
    if column.type == _NUMERIC:
        precision, scale = _OPEN_NUMERIC
        if column.modifier >= 0:
            precision, scale = (column.modifier - 4) >> 16 & 0xFFFF, (column.modifier - 4) & 0x7FF
        return pyarrow.decimal128(precision, scale)
    kinds = {
        16: pyarrow.bool_(),
        20: pyarrow.int64(),
        21: pyarrow.int16(),
        23: pyarrow.int32(),
        26: pyarrow.int64(),
        700: pyarrow.float32(),
        701: pyarrow.float64(),
        1083: pyarrow.time64("us"),
        _DATE: pyarrow.int32(),
        _TIMESTAMP: pyarrow.int64(),
        _TIMESTAMPTZ: pyarrow.int64(),
    }
    return kinds.get(column.type, pyarrow.string())


def _written(column: Described) -> Any:
    pyarrow = library("pyarrow")
    moment = pyarrow.timestamp("us")
    kinds = {_BYTES: pyarrow.binary(), _DATE: pyarrow.date32(), _TIMESTAMP: moment, _TIMESTAMPTZ: moment}
    return kinds.get(column.type) or _read(column)


def _as_text(name: str, column: Described) -> str:
    """Return a column so that its text does not depend on the session's settings; moments count from 1970."""
    if column.type == _BYTES:
        return f"encode({name}, 'hex')"
    if column.type == _NUMERIC and column.modifier < 0:
        return f"{name}::numeric{_OPEN_NUMERIC}"
    if column.type in (_TIMESTAMP, _TIMESTAMPTZ):
        return f"(extract(epoch FROM {name}) * 1000000)::bigint"
    return f"({name} - DATE '1970-01-01')" if column.type == _DATE else name


def _finished(values: Any, column: Described) -> Any:
    if column.type != _BYTES:
        return values
    raw = [None if text is None else bytes.fromhex(text) for text in values.to_pylist()]
    return library("pyarrow").array(raw, "binary")


class ParquetSlice(SliceWriter):
    """Writes the Parquet files of one slice."""

    def __init__(self, client: Any, unload: UnloadCommand, target: S3Location, number: int, form: ParquetForm) -> None:
        super().__init__(client, unload, target, number, b"")
        self._form = form
        self._waiting: list[Any] = []
        self._size = 0  # bytes in memory of what waits
        self._rows = 0
        self._writer: Any = None

    def write(self, data: bytes, rows: int) -> None:
        """Add some whole rows."""
        table = self._form.table(data)
        self._waiting.append(table)
        self._size += table.nbytes
        self._rows += rows
        if self._size >= self._unload.row_group:
            self._write_group()

    def close(self) -> None:
        """Finish the last file; a slice without rows has one without rows."""
        if self._waiting:
            self._write_group()
        super().close()

    def _write_group(self) -> None:
        group = library("pyarrow").concat_tables(self._waiting)
        if self._object is not None and self._object.size + self._size > self._unload.largest:
            self._end()
        rows, self._rows = self._rows, 0
        self._waiting, self._size = [], 0
        self._begin()
        assert self._object is not None
        self._writer.write_table(group, row_group_size=max(rows, 1))
        self._object.count(rows)

    def _begin(self) -> None:
        if self._object is None:
            super()._begin()
            assert self._object is not None
            parquet = library("pyarrow.parquet")
            self._writer = parquet.ParquetWriter(_Sink(self._object), self._form.schema, store_schema=False)

    def _end(self) -> None:
        if self._object is not None:
            self._writer.close()
        super()._end()


class _Sink:
    """An object in S3 as the file that Arrow writes to."""

    closed = False

    def __init__(self, target: S3Object) -> None:
        self._target = target

    def write(self, data: Any) -> int:
        """Take bytes."""
        self._target.write(bytes(data), 0)
        return len(data)

    def flush(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        """The object is closed by who opened it."""
