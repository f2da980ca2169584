"""The files of a COPY in S3: a prefix or a manifest, read as a stream and unpacked."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from isal import igzip, isal_zlib

from core.errors import ParameterError
from sandbox.redshift.copy.options import CopyCommand, Keys
from sandbox.redshift.errors import SqlError
from stores.aws import DEFAULT_REGION, client
from stores.s3.location import S3Location, parse_uri

BLOCK: Final = 1 << 20  # bytes
_AHEAD: Final = 4  # blocks
_PATIENCE: Final = 0.2  # seconds between two looks whether anybody still reads
#: What unpacking raises; a connection to S3 that breaks raises an error of botocore instead.
_GzipFile: Final[Any] = igzip.IGzipFile
_BROKEN: Final[Any] = (OSError, EOFError, isal_zlib.error)
_T = TypeVar("_T")


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
        self._client = _keyed_client(copy.keys, copy.region) if copy.keys.access_key else _own_client(copy.region)

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
        objects = _asking(
            lambda: [item for page in pages for item in page.get("Contents", [])],
            f"Listing bucket={prefix.bucket} prefix={prefix.key}",
        )
        if not objects:
            raise SqlError(
                f"The specified S3 prefix '{prefix.key}' does not exist",
                detail=_detail(f"Listing bucket={prefix.bucket} prefix={prefix.key}"),
            )
        return [S3File(S3Location(prefix.bucket, item["Key"]), item["Size"]) for item in objects]

    def _listed(self, location: S3Location) -> list[S3File]:
        entries = self._manifest(location)
        files = [file for entry in entries if (file := self._entry(entry)) is not None]
        if not files:
            raise SqlError(f"No file of the manifest {location} exists", detail=_detail("Reading the manifest"))
        return files

    def _manifest(self, location: S3Location) -> list[dict[str, Any]]:
        what = f"Reading the manifest {location}"
        try:
            body = _asking(
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
            if not _is_missing(error):
                raise _refused(error, f"Reading {entry['url']}") from error
            if entry.get("mandatory"):
                raise SqlError(
                    f"Mandatory url is not present in manifest file: {entry['url']} does not exist",
                    detail=_detail(f"Reading {entry['url']}"),
                ) from error
            return None
        size, expected = answer["ContentLength"], (entry.get("meta") or {}).get("content_length")
        if expected is not None and expected != size:
            raise SqlError(f"The manifest says {expected} bytes for {location}, but it has {size}")
        return S3File(location, size)

    def blocks(self, file: S3File) -> Iterator[bytes]:
        """Yield what a file holds, unpacked; it is read ahead in a thread of its own.

        Raises:
            SqlError: S3 refuses, or the file is not what the options say.
        """
        return _Ahead(self._blocks(file)).items()

    def _blocks(self, file: S3File) -> Iterator[bytes]:
        what = f"Reading {file}"
        location = file.location
        body = _asking(lambda: self._client.get_object(Bucket=location.bucket, Key=location.key)["Body"], what)
        if not file.size:
            return
        stream = _GzipFile(fileobj=body, mode="rb") if self._copy.gzip else body
        while True:
            try:
                block = stream.read(BLOCK)
            except _BROKEN as error:
                raise SqlError(
                    f"Error while reading {file}: it is not a complete gzip file", detail=_detail(what)
                ) from error
            except (BotoCoreError, ClientError) as error:
                raise _refused(error, what) from error
            if not block:
                return
            yield block


class _Ahead:
    """A thread that asks an iterator for its next few items before they are wanted."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._ready: queue.Queue[bytes | BaseException | None] = queue.Queue(_AHEAD)
        self._abandoned = threading.Event()
        threading.Thread(target=self._work, name="redshift-copy-reader", daemon=True).start()

    def _work(self) -> None:
        try:
            for block in self._blocks:
                if not self._put(block):
                    return
            self._put(None)
        except BaseException as error:
            self._put(error)  # raised where the block is wanted

    def _put(self, item: bytes | BaseException | None) -> bool:
        while not self._abandoned.is_set():
            try:
                self._ready.put(item, timeout=_PATIENCE)
            except queue.Full:
                continue
            return True
        return False

    def items(self) -> Iterator[bytes]:
        """Yield the items; ends the thread when it is closed early."""
        try:
            while (item := self._ready.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            self._abandoned.set()


@lru_cache(maxsize=8)
def _own_client(region: str | None) -> Any:
    """Return a client with the front's own credentials, as a role's would be."""
    return client("s3", region=region)


def _keyed_client(keys: Keys, region: str | None) -> Any:
    import boto3

    session = boto3.session.Session(keys.access_key, keys.secret_key, keys.token or None)
    return session.client("s3", region_name=region or session.region_name or DEFAULT_REGION)


def _asking(ask: Callable[[], _T], what: str) -> _T:
    try:
        return ask()
    except (ClientError, BotoCoreError) as error:
        raise _refused(error, what) from error


def _is_missing(error: Exception) -> bool:
    code = error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else ""
    return code in ("404", "NoSuchKey", "NoSuchBucket")


def _refused(error: Exception, what: str) -> SqlError:
    """Return S3's error in the words of Redshift."""
    if not isinstance(error, ClientError):
        return SqlError(f"S3ServiceException: no answer from S3 ({type(error).__name__})", detail=_detail(what))
    answer, meta = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
    text = f"{answer.get('Message', '')},Status {meta.get('HTTPStatusCode', '')},Error {answer.get('Code', '')}"
    return SqlError(f"S3ServiceException:{text},Rid {meta.get('RequestId', '')},CanRetry 1", detail=_detail(what))


def _detail(context: str) -> str:
    return f"\n  error:  S3ServiceException\n  code:   8001\n  context: {context}\n"


def _bad_manifest(location: S3Location) -> SqlError:
    return SqlError(
        f'The manifest {location} is not of the form {{"entries": [{{"url": "s3://…", "mandatory": true}}]}}'
    )
