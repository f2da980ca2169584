"""A file of lines that is compressed on its way."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Literal, Protocol

import zstandard
from isal import isal_zlib

from steps_impl.extract.manifest import Part
from steps_impl.extract.outputs import Output

LineCompression = Literal["gzip", "zstd", "none"]
ENDINGS: dict[LineCompression, str] = {"gzip": ".gz", "zstd": ".zst", "none": ""}
_GZIP_WINDOW = 31  # zlib's way to ask for a gzip header


class _Packer(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


class _Plain:
    def compress(self, data: bytes, /) -> bytes:
        return data

    def flush(self) -> bytes:
        return b""


_PACKERS: dict[LineCompression, Callable[[], Any]] = {
    "gzip": lambda: isal_zlib.compressobj(1, wbits=_GZIP_WINDOW),
    "zstd": lambda: zstandard.ZstdCompressor(1, write_checksum=True).compressobj(),
    "none": _Plain,
}


class PackedFile:
    """One file while it is written; it is there as a whole when it is closed."""

    def __init__(self, output: Output, name: str, compression: LineCompression) -> None:
        self._name = name
        self._packer: _Packer = _PACKERS[compression]()
        self._stack = ExitStack()
        self._sink = self._stack.enter_context(output.create(name))
        self._bytes = self._rows = 0

    def write(self, text: bytes, rows: int) -> None:
        """Add lines."""
        self._rows += rows
        self._put(self._packer.compress(text))

    def close(self) -> Part:
        """Write what is left."""
        self._put(self._packer.flush())
        self._stack.close()
        return Part(self._name, self._bytes, self._rows)

    def abandon(self, error: BaseException) -> None:
        """Drop the file."""
        self._stack.__exit__(type(error), error, error.__traceback__)

    def _put(self, data: bytes) -> None:
        if data:
            self._sink.write(data)
            self._bytes += len(data)
