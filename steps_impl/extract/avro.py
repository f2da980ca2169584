"""Avro object container files.

Integers are ``int`` and ``long``, floats ``float`` and ``double``, bytes ``bytes``; decimals, dates and times are
strings with every digit of the source, because COPY takes no notice of Avro's logical types: a timestamp in
microseconds would arrive as a number. Every field may be null.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from typing import Any

from core.errors import UnsupportedValue
from core.extras import optional
from steps_impl.formats.typed import Column, TypedRows

_CODECS = {"none": "null", "gzip": "deflate"}
_BLOCK = 1 << 16  # bytes between two sync markers
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TYPES: dict[str, tuple[str, Callable[[bytes], Any]]] = {
    "smallint": ("int", int),
    "integer": ("int", int),
    "bigint": ("long", int),
    "real": ("float", float),
    "double precision": ("double", float),
    "boolean": ("boolean", b"t".__eq__),
    "binary varying": ("bytes", bytes),
}
_TEXT: tuple[str, Callable[[bytes], Any]] = ("string", bytes.decode)


class AvroCodec:
    """One Avro file.

    Raises:
        UnsupportedValue: the name of a column is none that Avro allows.
    """

    def __init__(self, columns: Sequence[Column], compression: str) -> None:
        names = [column.name for column in columns]
        odd = [name for name in names if not _NAME.fullmatch(name)]
        if odd:
            raise UnsupportedValue(
                f"Avro allows letters, digits and _ in names only, not {', '.join(map(repr, odd))}; "
                "rename with --sql, or choose another format"
            )
        self._names = names
        kinds = [_TYPES.get(column.base, _TEXT) for column in columns]
        self._read = [read for _, read in kinds]
        fields = [
            {"name": name, "type": ["null", kind], "default": None}
            for name, (kind, _) in zip(names, kinds, strict=True)
        ]
        self._out = io.BytesIO()
        schema = {"type": "record", "name": "row", "fields": fields}
        self._writer = optional("fastavro.write").Writer(self._out, schema, _CODECS[compression], _BLOCK)

    def feed(self, pieces: Sequence[TypedRows]) -> bytes:
        """Take chunks; return the bytes of the blocks that are full."""
        for piece in pieces:
            columns = zip(*piece.rows, strict=True)
            typed = [
                [None if value is None else read(value) for value in values]
                for read, values in zip(self._read, columns, strict=True)
            ]
            for row in zip(*typed, strict=True):
                self._writer.write(dict(zip(self._names, row, strict=True)))
        return self._take()

    def finish(self) -> bytes:
        """Return the last block."""
        self._writer.flush()
        return self._take()

    def _take(self) -> bytes:
        data = self._out.getvalue()
        self._out.seek(0)
        self._out.truncate()
        return data
