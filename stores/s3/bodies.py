"""What a PUT carries: bytes in memory or a range of a file, with the CRC-32 that S3 checks on arrival."""

from __future__ import annotations

import base64
import ssl
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from core.errors import StagingFailed
from stores.s3.faults import local_file

BytesLike: TypeAlias = bytes | bytearray | memoryview

_BLOCK = 1024 * 1024
_local = threading.local()

CHECKSUM_HEADER = "x-amz-checksum-crc32"


def scratch() -> memoryview:
    """This thread's buffer of 1 MiB; its content is lost with the next call's use."""
    if not hasattr(_local, "buffer"):
        _local.buffer = memoryview(bytearray(_BLOCK))
    buffer: memoryview = _local.buffer
    return buffer


def encoded(crc: int) -> str:
    """A CRC-32 as S3 writes it: big endian, base64."""
    return base64.b64encode(crc.to_bytes(4, "big")).decode("ascii")


class BytesBody:
    """Bytes in memory."""

    def __init__(self, data: BytesLike) -> None:
        from isal.isal_zlib import crc32

        self._data = memoryview(data).cast("B")
        self.size = self._data.nbytes
        self._headers = {CHECKSUM_HEADER: encoded(crc32(self._data))}

    def headers(self) -> Mapping[str, str]:
        """The checksum."""
        return self._headers

    def send(self, sock: Any) -> None:
        """Write all bytes to the socket."""
        sock.sendall(self._data)


class DocumentBody:
    """A small XML order; without the checksum header, which on these requests means the object's."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.size = len(content)

    def headers(self) -> Mapping[str, str]:
        """The type."""
        return {"Content-Type": "application/xml"} if self._content else {}

    def send(self, sock: Any) -> None:
        """Write all bytes to the socket."""
        sock.sendall(self._content)


class FileBody:
    """``size`` bytes of a file from ``offset`` on.

    It is read twice, for the checksum and for sending; the second time it comes from the page cache. A file that
    changes in between is refused by S3 (``BadDigest``), never stored half old, half new.
    """

    def __init__(self, path: Path, offset: int, size: int) -> None:
        self.path, self.offset, self.size = path, offset, size

    def headers(self) -> Mapping[str, str]:
        """The checksum."""
        from isal.isal_zlib import crc32

        crc, block = 0, scratch()
        with local_file(self.path), self.path.open("rb", buffering=0) as file:
            file.seek(self.offset)
            left = self.size
            while left:
                left -= (count := self._fill(file, block[: min(left, _BLOCK)]))
                crc = crc32(block[:count], crc)
        return {CHECKSUM_HEADER: encoded(crc)}

    def send(self, sock: Any) -> None:
        """Write the range to the socket, without copying it through this process where there is no TLS."""
        with self.path.open("rb", buffering=0) as file:
            if self.size and not isinstance(sock, ssl.SSLSocket):
                self._check(sock.sendfile(file, self.offset, self.size) == self.size)
                return
            file.seek(self.offset)
            left, block = self.size, scratch()
            while left:
                left -= (count := self._fill(file, block[: min(left, _BLOCK)]))
                sock.sendall(block[:count])

    def _fill(self, file: Any, block: memoryview) -> int:
        count: int = file.readinto(block)
        self._check(count > 0)
        return count

    def _check(self, complete: bool) -> None:
        if not complete:
            raise StagingFailed(f"{str(self.path)!r} shrank while it was being uploaded; write it elsewhere first")
