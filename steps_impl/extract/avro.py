"""Avro object container files.

Integers are ``int`` and ``long``, floats ``float`` and ``double``, bytes ``bytes``. Dates, timestamps and decimals are
strings with every digit of the source, which COPY reads in any case. Or, if that is wanted, Avro's logical types:
``date``, ``timestamp-micros`` with a zone and ``local-timestamp-micros`` without one, ``decimal`` on bytes; AWS does
not say whether COPY knows them. Every field may be null.
"""

from __future__ import annotations

import io
import re
import secrets
from collections.abc import Sequence
from typing import Any

from isal import isal_zlib

from core.errors import UnsupportedValue
from core.extras import optional
from steps_impl.extract.avro_rows import encoder_of, number, rows_of
from steps_impl.extract.codecs import Unsupported
from steps_impl.extract.typed_columns import TypedColumns
from steps_impl.formats.typed import Column, CsvBlock, TypedRows

_CODECS = {"none": "null", "gzip": "deflate"}
_LEVEL, _RAW = 1, -15  # of deflate without a header, as Avro has it
_SYNC = 16  # bytes between two blocks
_BLOCK = 1 << 20  # bytes of columns that become one
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: Types that are logical ones in Avro.
LOGICAL = frozenset({"numeric", "date", "timestamp without time zone", "timestamp with time zone"})
_TYPES: dict[str, Any] = {
    "smallint": "int",
    "integer": "int",
    "bigint": "long",
    "real": "float",
    "double precision": "double",
    "boolean": "boolean",
    "binary varying": "bytes",
    "date": {"type": "int", "logicalType": "date"},
    "timestamp without time zone": {"type": "long", "logicalType": "local-timestamp-micros"},
    "timestamp with time zone": {"type": "long", "logicalType": "timestamp-micros"},
}


class AvroCodec:
    """One Avro file.

    Raises:
        UnsupportedValue: the name of a column is none that Avro allows.
    """

    def __init__(self, columns: Sequence[Column], compression: str, unsupported: Unsupported, *, logical: bool) -> None:
        _check_names([column.name for column in columns])
        as_text = frozenset() if logical else LOGICAL
        self._columns = TypedColumns(columns, "Avro", unsupported, as_text)
        self._encoders = [encoder_of(kind) for _, kind in self._columns.types]
        self._arrow = optional("pyarrow")
        self._packed = compression == "gzip"
        self._sync = secrets.token_bytes(_SYNC)
        fields = [
            {"name": column.name, "type": ["null", _type(column, as_text)], "default": None} for column in columns
        ]
        out = io.BytesIO()
        schema = {"type": "record", "name": "row", "fields": fields}
        optional("fastavro.write").Writer(out, schema, _CODECS[compression], sync_marker=self._sync)
        self._head = out.getvalue()
        self._waiting: list[list[Any]] = []
        self._size = 0

    def feed(self, pieces: Sequence[TypedRows | CsvBlock]) -> bytes:
        """Take chunks; return the bytes of the block that is full.

        Raises:
            UnsupportedValue: a value that the column's type cannot hold, by column and row number.
        """
        for piece in pieces:
            columns = self._columns.typed(piece)
            self._waiting.append(columns)
            self._size += sum(column.nbytes for column in columns)
        return self._take() if self._size >= _BLOCK else b""

    def finish(self) -> bytes:
        """Return the last block, or the head of a file without rows."""
        return self._take()

    def _take(self) -> bytes:
        head, self._head = self._head, b""
        waiting, self._waiting, self._size = self._waiting, [], 0
        if not waiting:
            return head
        columns = [self._arrow.concat_arrays(parts) for parts in zip(*waiting, strict=True)]
        return head + self._block(len(columns[0]), rows_of(columns, self._encoders))

    def _block(self, count: int, rows: memoryview) -> bytes:
        packer = isal_zlib.compressobj(_LEVEL, wbits=_RAW)
        data = packer.compress(rows) + packer.flush() if self._packed else bytes(rows)
        return b"".join([number(count), number(len(data)), data, self._sync])


def _check_names(names: Sequence[str]) -> None:
    if odd := [name for name in names if not _NAME.fullmatch(name)]:
        raise UnsupportedValue(
            f"Avro allows letters, digits and _ in names only, not {', '.join(map(repr, odd))}; "
            "rename with --sql, or choose another format"
        )


def _type(column: Column, as_text: frozenset[str]) -> Any:
    if column.base in as_text:
        return "string"
    if column.base == "numeric":
        precision, scale = int(column.type["precision"]), int(column.type.get("scale", 0))
        return {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}
    return _TYPES.get(column.base, "string")
