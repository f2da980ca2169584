"""Names of things in S3: literal keys, never normalised."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.errors import ParameterError

#: ``s3n`` and ``s3a`` are Hadoop's spellings of the same thing.
_URI = re.compile(r"(?:s3|s3n|s3a)://([^/]*)(?:/(.*))?", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True)
class S3Location:
    """A bucket and a key or prefix in it; the key is what comes after the bucket's slash, character by character."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @property
    def name(self) -> str:
        """The part of the key after its last slash; empty for a prefix that ends with one."""
        return self.key.rpartition("/")[2]

    def as_directory(self) -> S3Location:
        """The prefix of everything inside: ``a/b`` becomes ``a/b/``, so that ``a/b2`` is not taken for a part of it."""
        if not self.key or self.key.endswith("/"):
            return self
        return S3Location(self.bucket, self.key + "/")

    def child(self, relative: str) -> S3Location:
        """The location ``relative`` (with ``/`` between its parts) inside this directory."""
        return S3Location(self.bucket, self.as_directory().key + relative)


@dataclass(frozen=True)
class ObjectInfo:
    """One object of a listing; ``size`` in bytes; ``etag`` changes with the content."""

    uri: str
    size: int
    etag: str = ""


@dataclass(frozen=True)
class TransferTotals:
    """What was moved: number of files, and bytes."""

    files: int = 0
    bytes: int = 0

    def __add__(self, other: TransferTotals) -> TransferTotals:
        return TransferTotals(self.files + other.files, self.bytes + other.bytes)


def parse_uri(uri: str) -> S3Location:
    """Split ``s3://bucket/key`` (also ``s3n://``, ``s3a://``).

    Double slashes, spaces, ``..`` and every other character of the key are kept as they are: S3 keys are plain
    strings, and Data Pipeline writes ``s3://bucket//key`` for a directory path that begins with a slash.

    Raises:
        ParameterError: it is no S3 address, or names no bucket.
    """
    match = _URI.fullmatch(uri)
    if not match or not match[1]:
        raise ParameterError(f"{uri!r} is not an S3 address; write s3://bucket/key")
    return S3Location(match[1], match[2] or "")
