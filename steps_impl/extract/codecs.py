"""What stands between the chunks of an extract and the bytes of one file: compression, or a whole file format."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import zstandard
from isal import isal_zlib

from core.errors import ParameterError
from steps_impl.formats.typed import Column

OutputFormat = Literal["tsv", "csv", "json", "parquet", "avro"]
Compression = Literal["none", "gzip", "zstd", "snappy"]
#: Level 1 of ISA-L: 4.5 times the speed of zlib's level 1 at a better ratio; Zstandard's level 1 packs a tenth better
#: at half of that speed.
_GZIP_LEVEL = _ZSTD_LEVEL = 1
_GZIP_WINDOW = 31  # zlib's way to ask for a gzip header
_ENDINGS = {"none": "", "gzip": ".gz", "zstd": ".zst"}
#: Compressions of each kind of file, the default first. COPY reads these of Avro and Parquet.
_COMPRESSIONS: dict[str, tuple[Compression, ...]] = {
    "tsv": ("gzip", "zstd", "none"),
    "csv": ("gzip", "zstd", "none"),
    "json": ("gzip", "zstd", "none"),
    "parquet": ("snappy", "gzip", "zstd", "none"),
    "avro": ("gzip", "none"),
}
#: Formats whose files know the types of their columns.
TYPED = frozenset({"parquet", "avro"})


class Unsupported:
    """What becomes of values that a format cannot hold, and how many of them became NULL."""

    def __init__(self, *, null: bool) -> None:
        self.null = null
        self.nulled = 0
        self._lock = threading.Lock()

    def count(self) -> None:
        """Count one more; several files may do so at the same time."""
        with self._lock:
            self.nulled += 1


class Codec(Protocol):
    """Makes the bytes of one file."""

    def feed(self, pieces: Sequence[Any]) -> bytes:
        """Take the next chunks and return the bytes that are ready."""

    def finish(self) -> bytes:
        """Return the last bytes of the file."""


@dataclass(frozen=True)
class FileKind:
    """What the files of an extract are: their names' end, and what makes their bytes."""

    format: OutputFormat
    compression: Compression
    extension: str
    #: Called with the bytes of rows that the file may hold back in memory.
    codec: Callable[[int], Codec]


def choose_compression(output_format: OutputFormat, asked: Compression | None) -> Compression:
    """Return the compression of a format's files: the one that was asked for, else the format's own.

    Raises:
        ParameterError: the format's readers know no such compression.
    """
    known = _COMPRESSIONS[output_format]
    if asked is not None and asked not in known:
        raise ParameterError(f"--compression {asked}: {output_format} files take {', '.join(known)}")
    return asked or known[0]


def file_kind(
    output_format: OutputFormat,
    compression: Compression,
    columns: Sequence[Column],
    unsupported: Unsupported,
    *,
    logical: bool = True,
) -> FileKind:
    """Return the kind of file for these columns.

    ``unsupported``: of what Parquet and Avro cannot hold; ``logical``: Avro has types for dates and decimals.
    """
    if output_format == "parquet":
        from steps_impl.extract.parquet import ParquetCodec

        def parquet(room: int) -> Codec:
            return ParquetCodec(columns, compression, room, unsupported)

        return FileKind(output_format, compression, "parquet", parquet)
    if output_format == "avro":
        from steps_impl.extract.avro import AvroCodec

        def avro(_room: int) -> Codec:
            return AvroCodec(columns, compression, unsupported, logical=logical)

        return FileKind(output_format, compression, "avro", avro)
    codecs: dict[str, Callable[[int], Codec]] = {"none": _Plain, "gzip": _Gzip, "zstd": _Zstd}
    return FileKind(output_format, compression, output_format + _ENDINGS[compression], codecs[compression])


class _Plain:
    def __init__(self, _room: int) -> None:
        pass

    def feed(self, pieces: Sequence[bytes]) -> bytes:
        return b"".join(pieces)

    def finish(self) -> bytes:
        return b""


class _Gzip:
    def __init__(self, _room: int) -> None:
        self._packer = isal_zlib.compressobj(_GZIP_LEVEL, wbits=_GZIP_WINDOW)

    def feed(self, pieces: Sequence[bytes]) -> bytes:
        return self._packer.compress(b"".join(pieces))

    def finish(self) -> bytes:
        return self._packer.flush()


class _Zstd:
    def __init__(self, _room: int) -> None:
        self._packer = zstandard.ZstdCompressor(_ZSTD_LEVEL, write_checksum=True).compressobj()

    def feed(self, pieces: Sequence[bytes]) -> bytes:
        return self._packer.compress(b"".join(pieces))

    def finish(self) -> bytes:
        return self._packer.flush()
