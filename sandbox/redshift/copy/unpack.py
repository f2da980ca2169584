"""The compressions of COPY: a stream of what a packed object holds."""

from __future__ import annotations

import bz2
from typing import Any, Final

import zstandard
from isal import igzip, isal_zlib

from sandbox.redshift.copy.lzop import LzopStream

COMPRESSIONS: Final = ("gzip", "bzip2", "lzop", "zstd")
#: What unpacking raises; a connection to S3 that breaks raises an error of botocore instead.
BROKEN: Final[Any] = (OSError, EOFError, isal_zlib.error, zstandard.ZstdError)
_GzipFile: Final[Any] = igzip.IGzipFile
_PIECE: Final = 256 * 1024  # bytes of packed data that are unpacked at once


def unpacked(body: Any, compression: str) -> Any:
    """Return a stream of what ``body`` holds; reading it raises one of ``BROKEN`` when it is not whole."""
    if compression == "gzip":
        return _GzipFile(fileobj=body, mode="rb")
    if compression == "zstd":
        return _ZstdStream(body)
    if compression == "lzop":
        return LzopStream(body)
    return bz2.BZ2File(body) if compression == "bzip2" else body


class _ZstdStream:
    """Frames of Zstandard, one after the other; unlike the library's own reader it tells when the last one is cut."""

    def __init__(self, body: Any) -> None:
        self._body = body
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._rest = b""
        self._begun = False

    def read(self, _size: int) -> bytes:
        """Return the next piece, of any length; nothing at the end."""
        while True:
            packed = self._rest or self._body.read(_PIECE)
            if not packed:
                if self._begun:
                    raise EOFError
                return b""
            piece = self._next(packed)
            if piece:
                return piece

    def _next(self, packed: bytes) -> bytes:
        self._begun = True
        piece: bytes = self._frame.decompress(packed)
        self._rest = b""
        if self._frame.eof:
            self._rest = self._frame.unused_data
            self._frame = zstandard.ZstdDecompressor().decompressobj()
            self._begun = False
        return piece
