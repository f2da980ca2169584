"""LZOP files (lzop 1.04): a header, then blocks, each with its two lengths and the checksums that the flags name."""

from __future__ import annotations

import zlib
from typing import Any, Final

from sandbox.redshift.libraries import library

_MAGIC: Final = b"\x89LZO\x00\r\n\x1a\n"
_ADLER_PLAIN, _CRC_PLAIN, _ADLER_PACKED, _CRC_PACKED = 0x1, 0x100, 0x2, 0x200
_EXTRA_FIELD, _FILTER, _HEADER_CRC = 0x40, 0x800, 0x1000
_WITH_LEVEL: Final = 0x0940  # the version from which on a header has the level and a longer time
_METHODS: Final = (1, 2, 3)  # LZO1X in its strengths
_LARGEST: Final = 64 << 20  # bytes of a block; lzop's own are 256 KB


class LzopStream:
    """What the files in a stream hold, one after the other; reading raises OSError or EOFError when one is damaged."""

    def __init__(self, body: Any) -> None:
        self._body = body
        self._library = library("lzallright")
        self._flags = -1  # no file has begun
        self._read = bytearray()  # of a header, for its checksum

    def read(self, _size: int) -> bytes:
        """Return the next piece, of any length; nothing at the end."""
        while True:
            if self._flags < 0 and not self._begin():
                return b""
            length = self._number(4)
            if length:
                return self._block(length)
            self._flags = -1

    def _begin(self) -> bool:
        """Read a header; say whether there is one more file."""
        magic = self._body.read(1)
        if not magic:
            return False
        if magic + self._exactly(len(_MAGIC) - 1) != _MAGIC:
            raise OSError("not an LZOP file")
        self._read.clear()
        version, _library = self._number(2), self._number(2)
        is_new = version >= _WITH_LEVEL
        if is_new:
            self._number(2)
        if self._number(1) not in _METHODS:
            raise OSError("an LZOP file with an unknown method")
        if is_new:
            self._number(1)
        flags = self._number(4)
        if flags & _FILTER:
            raise OSError("an LZOP file with a filter")
        self._exactly(12 if is_new else 8)  # mode and time
        self._exactly(self._number(1))  # the name
        self._check_header(flags)
        self._flags = flags
        return True

    def _check_header(self, flags: int) -> None:
        summed = zlib.crc32(self._read) if flags & _HEADER_CRC else zlib.adler32(self._read)
        if self._number(4) != summed:
            raise OSError("an LZOP file with a damaged header")
        if flags & _EXTRA_FIELD:
            self._exactly(self._number(4) + 4)

    def _block(self, length: int) -> bytes:
        packed_length, flags = self._number(4), self._flags
        if max(length, packed_length) > _LARGEST:
            raise OSError("an LZOP file with a block that is too large")
        is_packed = packed_length < length
        sums = [self._number(4) if flags & flag else None for flag in (_ADLER_PLAIN, _CRC_PLAIN)]
        packed_sums = [self._number(4) if is_packed and flags & flag else None for flag in (_ADLER_PACKED, _CRC_PACKED)]
        packed = self._exactly(packed_length)
        _check(packed, packed_sums)
        plain = self._plain(packed, length) if is_packed else packed
        _check(plain, sums)
        return plain

    def _plain(self, packed: bytes, length: int) -> bytes:
        try:
            plain = bytes(self._library.LZOCompressor.decompress(packed, length))
        except (self._library.LZOError, self._library.InputNotConsumed) as error:
            raise OSError("an LZOP file with a damaged block") from error
        if len(plain) != length:
            raise OSError("an LZOP file with a damaged block")
        return plain

    def _number(self, size: int) -> int:
        return int.from_bytes(self._exactly(size), "big")

    def _exactly(self, size: int) -> bytes:
        pieces = bytearray()
        while len(pieces) < size:
            piece = self._body.read(size - len(pieces))
            if not piece:
                raise EOFError
            pieces += piece
        self._read += pieces if self._flags < 0 else b""
        return bytes(pieces)


def _check(data: bytes, sums: list[int | None]) -> None:
    for summed, function in zip(sums, (zlib.adler32, zlib.crc32), strict=True):
        if summed is not None and function(data) != summed:
            raise OSError("an LZOP file with a wrong checksum")
