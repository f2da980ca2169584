"""Parquet files: values become typed column by column, in the library's own loops.

Type of the manifest to type of the file: smallint, integer, bigint → INT(16, 32, 64); numeric(p,s) → DECIMAL(p,s);
real, double precision → FLOAT, DOUBLE; date → DATE; timestamp → TIMESTAMP(MICROS), in UTC where it has a zone;
``binary varying`` → bytes; all others → UTF-8 text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from core.errors import UnsupportedValue
from core.extras import optional
from steps_impl.extract.codecs import Unsupported
from steps_impl.formats.typed import Column, CsvBlock, TypedRows

#: Rows of a row group at the most.
_GROUP_ROWS = 1 << 17


class ParquetCodec:
    """One Parquet file; holds the rows of one row group."""

    def __init__(self, columns: Sequence[Column], compression: str, room: int, unsupported: Unsupported) -> None:
        self._arrow = optional("pyarrow")
        optional("pyarrow.compute")
        self._columns = [_TypedColumn(self._arrow, column, unsupported) for column in columns]
        self._reader = _CsvReader(self._arrow, len(columns))
        self._schema = self._arrow.schema([(column.name, column.type) for column in self._columns])
        self._out = _Bytes()
        file = self._arrow.PythonFile(self._out, mode="w")
        self._writer = optional("pyarrow.parquet").ParquetWriter(
            file, self._schema, compression=compression, store_schema=False
        )
        self._room = room
        self._waiting: list[Any] = []
        self._size = self._rows = 0

    def feed(self, pieces: Sequence[TypedRows | CsvBlock]) -> bytes:
        """Take chunks; return the bytes of the row groups that are full.

        Raises:
            UnsupportedValue: a value that the column's type cannot hold, by column and row number.
        """
        for piece in pieces:
            arrays = [
                column.typed(values, piece.first)
                for column, values in zip(self._columns, self._untyped(piece), strict=True)
            ]
            batch = self._arrow.record_batch(arrays, schema=self._schema)
            self._waiting.append(batch)
            self._size, self._rows = self._size + batch.nbytes, self._rows + batch.num_rows
            if self._size >= self._room or self._rows >= _GROUP_ROWS:
                self._write_group()
        return self._out.take()

    def _untyped(self, piece: TypedRows | CsvBlock) -> list[Any]:
        """Return the columns of a chunk as arrays of bytes."""
        if isinstance(piece, CsvBlock):
            return self._reader.arrays(piece.lines)
        return [self._arrow.array(values, self._arrow.binary()) for values in zip(*piece.rows, strict=True)]

    def finish(self) -> bytes:
        """Return the last row group and the file's end."""
        self._write_group()
        self._writer.close()
        return self._out.take()

    def _write_group(self) -> None:
        if self._waiting:
            self._writer.write_table(self._arrow.Table.from_batches(self._waiting), row_group_size=self._rows)
        self._waiting, self._size, self._rows = [], 0, 0


class _TypedColumn:
    """Turns the texts of a column into an array of its type."""

    def __init__(self, arrow: Any, column: Column, unsupported: Unsupported) -> None:
        self.name = column.name
        self._arrow = arrow
        self.type = _TYPES.get(column.base, _text)(arrow, column)
        self._unsupported = unsupported
        self._boolean = column.base == "boolean"

    def typed(self, values: Any, first: int) -> Any:
        """Return the array of the column's type for an array of the values' texts."""
        try:
            return self._cast(values)
        except self._arrow.ArrowInvalid:
            kept = [self._alone(value, row) for row, value in enumerate(values.to_pylist(), first)]
            return self._cast(self._arrow.array(kept, self._arrow.binary()))

    def _cast(self, values: Any) -> Any:
        if self.type == self._arrow.binary():
            return values
        if self._boolean:
            return self._arrow.compute.equal(values, b"t")
        return values.cast(self._arrow.string()).cast(self.type)

    def _alone(self, value: bytes | None, row: int) -> bytes | None:
        try:
            self._cast(self._arrow.array([value], self._arrow.binary()))
        except self._arrow.ArrowInvalid:
            if self._unsupported.null:
                self._unsupported.count()
                return None
            raise UnsupportedValue(
                f"column {self.name}, row {row}: a value that Parquet's {self.type} cannot hold; "
                "use --unsupported-values null, cast the column with --sql, or choose a text format"
            ) from None
        return value


class _CsvReader:
    """Takes CSV apart in the library's own loops."""

    def __init__(self, arrow: Any, count: int) -> None:
        self._csv = optional("pyarrow.csv")
        self._names = [str(place) for place in range(count)]
        self._parse = self._csv.ParseOptions(newlines_in_values=True)
        self._convert = self._csv.ConvertOptions(
            column_types=dict.fromkeys(self._names, arrow.binary()),
            null_values=[r"\N"],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        )
        self._open = arrow.BufferReader

    def arrays(self, lines: bytes) -> list[Any]:
        read = self._csv.ReadOptions(column_names=self._names, use_threads=False, block_size=len(lines) + 1)
        table = self._csv.read_csv(
            self._open(lines), read_options=read, parse_options=self._parse, convert_options=self._convert
        )
        return [column.combine_chunks() for column in table.columns]


def _text(arrow: Any, column: Column) -> Any:  # noqa: ARG001 - one shape for all types
    return arrow.string()


def _decimal(arrow: Any, column: Column) -> Any:
    return arrow.decimal128(int(column.type["precision"]), int(column.type.get("scale", 0)))


_TYPES: dict[str, Callable[[Any, Column], Any]] = {
    "smallint": lambda arrow, _: arrow.int16(),
    "integer": lambda arrow, _: arrow.int32(),
    "bigint": lambda arrow, _: arrow.int64(),
    "real": lambda arrow, _: arrow.float32(),
    "double precision": lambda arrow, _: arrow.float64(),
    "boolean": lambda arrow, _: arrow.bool_(),
    "date": lambda arrow, _: arrow.date32(),
    "timestamp without time zone": lambda arrow, _: arrow.timestamp("us"),
    "timestamp with time zone": lambda arrow, _: arrow.timestamp("us", "UTC"),
    "binary varying": lambda arrow, _: arrow.binary(),
    "numeric": _decimal,
}


class _Bytes:
    """A file for the writer, from which the bytes are taken as they come."""

    closed = False

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._position = 0

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._position += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._position

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass

    def take(self) -> bytes:
        data = b"".join(self._pieces)
        self._pieces = []
        return data
