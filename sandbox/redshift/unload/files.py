"""The files of an UNLOAD: named, cut and packed as Redshift does it, sent to S3 while they are written."""

from __future__ import annotations

import bz2
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import zstandard
from isal import isal_zlib

from sandbox.redshift.aws import asking
from sandbox.redshift.unload.command import UnloadCommand
from stores.s3.location import S3Location

_PART: Final = 8 << 20  # bytes of one part of a multipart upload
_LEVEL: Final = 1  # of gzip: isal's fast one


@dataclass(frozen=True)
class Written:
    """A finished file; ``slice`` made it, its rows count the header too."""

    location: S3Location
    size: int
    rows: int
    slice: int


class _Packer(Protocol):
    def compress(self, data: bytes, /) -> bytes:
        """Take data; return what is ready."""

    def flush(self) -> bytes:
        """Return the rest."""


class _Plain:
    def compress(self, data: bytes, /) -> bytes:
        return data

    def flush(self) -> bytes:
        return b""


def _packer(compression: str) -> _Packer:
    if compression == "gzip":
        packer: _Packer = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, 31)
        return packer
    if compression == "zstd":
        return zstandard.ZstdCompressor().compressobj()
    return bz2.BZ2Compressor() if compression == "bzip2" else _Plain()


class SliceWriter:
    """Writes the files of one slice, one after the other."""

    def __init__(self, client: Any, unload: UnloadCommand, target: S3Location, number: int, header: bytes) -> None:
        self._client = client
        self._unload = unload
        self._target = target
        self._number = number
        self._header = header
        self._object: S3Object | None = None
        self.files: list[Written] = []

    def write(self, data: bytes, rows: int) -> None:
        """Add some whole rows; a new file is begun when they do not fit into this one.

        Raises:
            SqlError: S3 refused.
        """
        if self._object is not None and self._object.size + len(data) > self._unload.largest:
            self._end()
        self._begin()
        assert self._object is not None
        self._object.write(data, rows)

    def close(self) -> None:
        """Finish the last file; a slice without rows has an empty one."""
        if not self.files:
            self._begin()
        self._end()

    def abandon(self) -> None:
        """Drop what is not finished."""
        if self._object is not None:
            self._object.abort()

    def _begin(self) -> None:
        if self._object is None:
            name = self._target.key + self._name()
            location = S3Location(self._target.bucket, name)
            self._object = S3Object(self._client, location, self._unload.compression, self._unload.encryption)
            if self._header:
                self._object.write(self._header, 1)

    def _end(self) -> None:
        if self._object is not None:
            size, rows = self._object.close()
            self.files.append(Written(self._object.location, size, rows, self._number))
            self._object = None

    def _name(self) -> str:
        part = len(self.files)
        name = f"{self._number:04}_part_{part:02}" if self._unload.parallel else f"{part:03}"
        return name + self._unload.extension


class S3Object:
    """An object that is written in parts; it appears when it is closed. S3 encrypts it, as UNLOAD's are."""

    def __init__(self, client: Any, location: S3Location, compression: str, encryption: Mapping[str, str]) -> None:
        self._encryption = encryption
        self.location = location
        self.size = 0
        self._client = client
        self._rows = 0
        self._packer = _packer(compression)
        self._buffer = bytearray()
        self._where = {"Bucket": location.bucket, "Key": location.key}
        self._upload: str | None = None
        self._parts: list[dict[str, Any]] = []

    def write(self, data: bytes, rows: int) -> None:
        """Add bytes that hold some rows."""
        self._rows += rows
        self._keep(self._packer.compress(data))
        if len(self._buffer) >= _PART:
            self._send()

    def close(self) -> tuple[int, int]:
        """Finish the object; return its bytes and rows."""
        self._keep(self._packer.flush())
        if self._upload is None:
            self._ask("put_object", Body=bytes(self._buffer), **self._encryption, **self._where)
        else:
            if self._buffer:
                self._send()
            parts = {"Parts": self._parts}
            self._ask("complete_multipart_upload", UploadId=self._upload, MultipartUpload=parts, **self._where)
        return self.size, self._rows

    def count(self, rows: int) -> None:
        """Note rows that were written as bytes."""
        self._rows += rows

    def abort(self) -> None:
        """Drop what has been sent."""
        if self._upload is not None:
            self._ask("abort_multipart_upload", UploadId=self._upload, **self._where)

    def _keep(self, data: bytes) -> None:
        self._buffer += data
        self.size += len(data)

    def _send(self) -> None:
        if self._upload is None:
            begun = self._ask("create_multipart_upload", **self._encryption, **self._where)
            self._upload = begun["UploadId"]
        number, body = len(self._parts) + 1, bytes(self._buffer)
        sent = self._ask("upload_part", UploadId=self._upload, PartNumber=number, Body=body, **self._where)
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"]})
        self._buffer.clear()

    def _ask(self, operation: str, **arguments: Any) -> Any:
        return asking(lambda: getattr(self._client, operation)(**arguments), f"Writing {self.location}")
