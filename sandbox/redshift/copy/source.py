"""The files of a COPY in S3: a prefix or a manifest, read as a stream and unpacked."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from core.errors import ParameterError
from sandbox.redshift.aws import asking, authorised_client, detail, is_missing, refused
from sandbox.redshift.copy.ahead import read_ahead
from sandbox.redshift.copy.command import CopyCommand
from sandbox.redshift.copy.unpack import BROKEN, unpacked
from sandbox.redshift.errors import SqlError
from stores.s3.location import S3Location, parse_uri

BLOCK: Final = 1 << 20  # bytes
_CODECS: Final = {"utf16": "utf-16", "utf16le": "utf-16-le", "utf16be": "utf-16-be"}


@dataclass(frozen=True)
class S3File:
    """One object; ``size`` in bytes, as it lies in S3."""

    location: S3Location
    size: int

    def __str__(self) -> str:
        return str(self.location)


class S3Source:
    """What a COPY reads."""

    def __init__(self, copy: CopyCommand) -> None:
        self._copy = copy
        self._client = authorised_client("s3", copy.authorization, copy.region)

    def files(self) -> list[S3File]:
        """Return the files to load, in their order.

        Raises:
            SqlError: there are none, one that must be there is not, or S3 refuses.
        """
        try:
            location = parse_uri(self._copy.source)
        except ParameterError as error:
            raise SqlError(f"Invalid S3 path: {error}") from error
        return self._listed(location) if self._copy.manifest else self._found(location)

    def _found(self, prefix: S3Location) -> list[S3File]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=prefix.bucket, Prefix=prefix.key)
        objects = asking(
            lambda: [item for page in pages for item in page.get("Contents", [])],
            f"Listing bucket={prefix.bucket} prefix={prefix.key}",
        )
        if not objects:
            raise SqlError(
                f"The specified S3 prefix '{prefix.key}' does not exist",
                detail=detail(f"Listing bucket={prefix.bucket} prefix={prefix.key}"),
            )
        return [S3File(S3Location(prefix.bucket, item["Key"]), item["Size"]) for item in objects]

    def _listed(self, location: S3Location) -> list[S3File]:
        entries = self._manifest(location)
        files = [file for entry in entries if (file := self._entry(entry)) is not None]
        if not files:
            raise SqlError(f"No file of the manifest {location} exists", detail=detail("Reading the manifest"))
        return files

    def _manifest(self, location: S3Location) -> list[dict[str, Any]]:
        what = f"Reading the manifest {location}"
        try:
            body = asking(
                lambda: self._client.get_object(Bucket=location.bucket, Key=location.key)["Body"].read(), what
            )
        except SqlError as error:
            raise SqlError(f"Problem reading manifest file - {error.message}", detail=error.detail) from error
        try:
            entries = json.loads(body)["entries"]
            if all(isinstance(entry["url"], str) for entry in entries):
                return list(entries)
        except (ValueError, KeyError, TypeError) as error:
            raise _bad_manifest(location) from error
        raise _bad_manifest(location)

    def _entry(self, entry: dict[str, Any]) -> S3File | None:
        """Return the file of an entry; ``None`` when it is missing and need not be there."""
        try:
            location = parse_uri(entry["url"])
            answer = self._client.head_object(Bucket=location.bucket, Key=location.key)
        except ParameterError as error:
            raise SqlError(f"Invalid url in the manifest: {error}") from error
        except (ClientError, BotoCoreError) as error:
            if not is_missing(error):
                raise refused(error, f"Reading {entry['url']}") from error
            if entry.get("mandatory"):
                raise SqlError(
                    f"Mandatory url is not present in manifest file: {entry['url']} does not exist",
                    detail=detail(f"Reading {entry['url']}"),
                ) from error
            return None
        if self._copy.columnar and (entry.get("meta") or {}).get("content_length") is None:
            raise SqlError(
                f"The manifest entry {entry['url']} needs meta.content_length, as {self._copy.columnar} has it"
            )
        size, expected = answer["ContentLength"], (entry.get("meta") or {}).get("content_length")
        if expected is not None and expected != size:
            raise SqlError(f"The manifest says {expected} bytes for {location}, but it has {size}")
        return S3File(location, size)

    def blocks(self, file: S3File) -> Iterator[bytes]:
        """Yield what a file holds, unpacked; it is read ahead in a thread of its own.

        Raises:
            SqlError: S3 refuses, or the file is not what the options say.
        """
        blocks, encoding = self._blocks(file), self._copy.encoding
        return read_ahead(blocks if encoding == "utf8" else _as_utf8(blocks, encoding, file))

    def read_whole(self, uri: str) -> bytes:
        """Return a small object, such as a JSONPaths file.

        Raises:
            SqlError: it cannot be read.
        """
        location = parse_uri(uri)
        return asking(
            lambda: bytes(self._client.get_object(Bucket=location.bucket, Key=location.key)["Body"].read()),
            f"Reading {uri}",
        )

    def _blocks(self, file: S3File) -> Iterator[bytes]:
        what = f"Reading {file}"
        location = file.location
        body = asking(lambda: self._client.get_object(Bucket=location.bucket, Key=location.key)["Body"], what)
        if not file.size:
            return
        stream = unpacked(body, self._copy.compression)
        while True:
            try:
                block = stream.read(BLOCK)
            except BROKEN as error:
                kind = self._copy.compression
                raise SqlError(
                    f"Error while reading {file}: it is not a complete {kind} file", detail=detail(what)
                ) from error
            except (BotoCoreError, ClientError) as error:
                raise refused(error, what) from error
            if not block:
                return
            yield block


def _as_utf8(blocks: Iterator[bytes], encoding: str, file: S3File) -> Iterator[bytes]:
    """Yield text of UTF-16 as UTF-8; ``utf16`` has a byte order mark, the others may have one."""
    decoder = codecs.getincrementaldecoder(_CODECS[encoding])()
    mark = "\ufeff"
    try:
        for block in chain(blocks, [b""]):
            text = decoder.decode(block, final=not block)
            yield text.removeprefix(mark).encode("utf-8", "surrogatepass")
            mark = "" if text else mark
    except UnicodeDecodeError as error:
        raise SqlError(f"Error while reading {file}: it is not encoded in {encoding.upper()}") from error


def _bad_manifest(location: S3Location) -> SqlError:
    return SqlError(
        f'The manifest {location} is not of the form {{"entries": [{{"url": "s3://…", "mandatory": true}}]}}'
    )
