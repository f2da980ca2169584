"""Parquet files; the types of their columns are those of ``typed_columns``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.extras import optional
from steps_impl.extract.codecs import Unsupported
from steps_impl.extract.typed_columns import TypedColumns
from steps_impl.formats.typed import Column, CsvBlock, TypedRows

#: Rows of a row group at the most.
_GROUP_ROWS = 1 << 17


class ParquetCodec:
    """One Parquet file; holds the rows of one row group."""

    def __init__(self, columns: Sequence[Column], compression: str, room: int, unsupported: Unsupported) -> None:
        self._arrow = optional("pyarrow")
        self._columns = TypedColumns(columns, "Parquet", unsupported)
        self._schema = self._arrow.schema(self._columns.types)
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
            batch = self._arrow.record_batch(self._columns.typed(piece), schema=self._schema)
            self._waiting.append(batch)
            self._size, self._rows = self._size + batch.nbytes, self._rows + batch.num_rows
            if self._size >= self._room or self._rows >= _GROUP_ROWS:
                self._write_group()
        return self._out.take()

    def finish(self) -> bytes:
        """Return the last row group and the file's end."""
        self._write_group()
        self._writer.close()
        return self._out.take()

    def _write_group(self) -> None:
        if self._waiting:
            self._writer.write_table(self._arrow.Table.from_batches(self._waiting), row_group_size=self._rows)
        self._waiting, self._size, self._rows = [], 0, 0


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
