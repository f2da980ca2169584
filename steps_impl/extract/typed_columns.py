"""From chunks of rows to columns of their types, in the library's own loops; for Parquet and Avro.

Type of the manifest to type of the column: smallint, integer, bigint → whole numbers of 16, 32, 64 bits; numeric(p,s) →
decimal(p,s); real, double precision → floats of 32 and 64 bits; date → days; timestamp → microseconds, in UTC where it
has a zone; ``binary varying`` → bytes; all others → UTF-8 text.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from core.errors import UnsupportedValue
from core.extras import optional
from steps_impl.extract.codecs import Unsupported
from steps_impl.formats.typed import Column, CsvBlock, TypedRows


class TypedColumns:
    """The columns of one file.

    Args:
        columns: What the source has.
        format_name: What messages call the format.
        unsupported: What becomes of values that a type cannot hold.
        as_text: Types (without their size) whose values stay text.
    """

    def __init__(
        self, columns: Sequence[Column], format_name: str, unsupported: Unsupported, as_text: Collection[str] = ()
    ) -> None:
        self._arrow = optional("pyarrow")
        optional("pyarrow.compute")
        self._columns = [_TypedColumn(self._arrow, column, format_name, unsupported, as_text) for column in columns]
        self._reader = _CsvReader(self._arrow, len(columns))

    @property
    def types(self) -> list[tuple[str, Any]]:
        """Names and types, in order."""
        return [(column.name, column.type) for column in self._columns]

    def typed(self, piece: TypedRows | CsvBlock) -> list[Any]:
        """Return the columns of a chunk.

        Raises:
            UnsupportedValue: a value that the column's type cannot hold, by column and row number.
        """
        untyped = zip(self._columns, self._untyped(piece), strict=True)
        return [column.typed(values, piece.first) for column, values in untyped]

    def _untyped(self, piece: TypedRows | CsvBlock) -> list[Any]:
        """Return the columns of a chunk as arrays of bytes."""
        if isinstance(piece, CsvBlock):
            return self._reader.arrays(piece.lines)
        return [self._arrow.array(values, self._arrow.binary()) for values in zip(*piece.rows, strict=True)]


class _TypedColumn:
    """Turns the texts of a column into an array of its type."""

    def __init__(
        self, arrow: Any, column: Column, format_name: str, unsupported: Unsupported, as_text: Collection[str]
    ) -> None:
        self.name = column.name
        self._arrow = arrow
        self._format = format_name
        self.type = (_text if column.base in as_text else _TYPES.get(column.base, _text))(arrow, column)
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
            equal = self._arrow.compute.equal
            return self._arrow.compute.or_(equal(values, b"t"), equal(values, b"1"))
        return values.cast(self._arrow.string()).cast(self.type)

    def _alone(self, value: bytes | None, row: int) -> bytes | None:
        try:
            self._cast(self._arrow.array([value], self._arrow.binary()))
        except self._arrow.ArrowInvalid:
            if self._unsupported.null:
                self._unsupported.count()
                return None
            raise UnsupportedValue(
                f"column {self.name}, row {row}: a value that {self._format}'s {self.type} cannot hold; "
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
