"""The bytes of a file in S3 or on this machine, without compression, which is told by the first bytes."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from isal import igzip

from core.errors import AccessDenied, NotFound, RecordMalformed, StoreError

if TYPE_CHECKING:
    from stores.s3 import S3Store

#: Bytes of a block, without compression.
BLOCK = 512 * 1024
_GZIP = b"\x1f\x8b"
#: Bytes of zstd data that are taken at a time: they may become many times as much.
_ZSTD_BLOCK = 64 * 1024
_ZSTD = b"\x28\xb5\x2f\xfd"
#: The head, and of the first block (or of the end, where there is none) the number that it begins with.
_BZIP2 = re.compile(rb"BZh[1-9](?:\x31\x41\x59\x26\x53\x59|\x17\x72\x45\x38\x50\x90)")
_S3 = ("s3://", "s3a://", "s3n://")


def is_in_s3(address: str) -> bool:
    """Tell whether an address is one of S3, not a path."""
    return address.startswith(_S3)


def blocks_of(address: str, s3: Callable[[], S3Store]) -> Iterator[bytes]:
    """Yield a file's bytes without compression, block by block; ``s3`` makes what reads S3.

    Text never begins with gzip's or zstd's first bytes, which are no UTF-8, and hardly with bzip2's ten.

    Raises:
        RecordMalformed: the compressed data is damaged or cut off.
        NotFound, AccessDenied, StoreError: the file cannot be read.
    """
    with _open(address, s3) as file:
        start = file.peek(10)[:10]  # type: ignore[attr-defined]  # both are BufferedReaders
        if start[:2] == _GZIP:
            yield from unzipped(file, address)
        elif start[:4] == _ZSTD:
            yield from _unzstd(file, address)
        elif _BZIP2.match(start):
            yield from _unbzip2(file, address)
        else:
            yield from iter(lambda: file.read(BLOCK), b"")


def unzipped(file: BinaryIO, address: str) -> Iterator[bytes]:
    """Yield the content of gzip data.

    Raises:
        RecordMalformed: it is damaged or cut off.
    """
    try:
        with igzip.open(file) as content:  # type: ignore[no-untyped-call]
            while block := content.read(BLOCK):
                yield block
    except (EOFError, OSError, zlib.error, igzip.BadGzipFile) as error:
        if isinstance(error, InterruptedError):
            raise
        raise RecordMalformed(f"{address}: its gzip data is damaged or cut off; write the file again") from None


def _unzstd(file: BinaryIO, address: str) -> Iterator[bytes]:
    """Yield the content of zstd data; several frames may follow one another, and the last must be whole."""
    import zstandard

    frame, rest, whole = zstandard.ZstdDecompressor().decompressobj(), b"", False
    try:
        while data := rest or file.read(_ZSTD_BLOCK):
            if whole:
                frame = zstandard.ZstdDecompressor().decompressobj()
            block, rest, whole = frame.decompress(data), frame.unused_data, frame.eof
            if block:
                yield block
    except zstandard.ZstdError:
        whole = False
    if not whole:
        raise RecordMalformed(f"{address}: its zstd data is damaged or cut off; write the file again")


def _unbzip2(file: BinaryIO, address: str) -> Iterator[bytes]:
    """Yield the content of bzip2 data, of one stream or several."""
    import bz2

    try:
        with bz2.open(file) as content:
            while block := content.read(BLOCK):
                yield block
    except (EOFError, OSError) as error:
        if isinstance(error, InterruptedError):
            raise
        raise RecordMalformed(f"{address}: its bzip2 data is damaged or cut off; write the file again") from None


def _open(address: str, s3: Callable[[], S3Store]) -> BinaryIO:
    if is_in_s3(address):
        return s3().open_reader(address)
    try:
        return Path(address).open("rb")
    except FileNotFoundError:
        raise NotFound(f"there is no file {address}; check the input") from None
    except PermissionError:
        raise AccessDenied(f"{address} may not be read; give this user the right to") from None
    except OSError as error:
        raise StoreError(f"cannot read {address}: {error.strerror or error}") from None
