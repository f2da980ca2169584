"""Files to objects: small ones in one PUT, large ones as multipart uploads with the parts side by side."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from core.errors import DuctrunnerError
from stores.s3.access import Access
from stores.s3.bodies import BytesBody, FileBody
from stores.s3.crew import Countdown, Crew
from stores.s3.faults import translated
from stores.s3.interruption import Interruption
from stores.s3.location import S3Location
from stores.s3.wire import Body, Request, Wire

LOGGER = logging.getLogger(__name__)
#: Bytes of a part; the sent part of a file is never held in memory.
PART = 32 * 1024 * 1024
#: S3 takes at most this many parts ("Amazon S3 multipart upload limits").
_MOST_PARTS = 10_000
_MEGABYTE = 1024 * 1024
_SSE = {"x-amz-server-side-encryption": "AES256"}


@dataclass(frozen=True)
class Upload:
    """A file that is to become an object; ``sse`` asks for server-side encryption with S3's own keys."""

    path: Path
    location: S3Location
    size: int
    sse: bool


def put(location: S3Location, body: Body, sse: bool, wire: Wire, guard: Interruption, kind: str | None = None) -> None:
    """Write an object in one request; ``kind`` is its content type."""
    headers = {**(_SSE if sse else {}), **({"Content-Type": kind} if kind else {})}
    wire.call(Request("PUT", location, headers=headers, body=body), guard)


def start_upload(upload: Upload, access: Access, wire: Wire, crew: Crew, done: Callable[[int], None]) -> None:
    """Send one file on the crew's threads; ``done`` gets its size when the object is there."""
    if upload.size <= PART:
        put(upload.location, FileBody(upload.path, 0, upload.size), upload.sse, wire, crew.guard)
        done(upload.size)
        return
    multipart = Multipart(upload.location, upload.sse, access, wire, crew.guard)
    settled = crew.on_failure(multipart.abort)
    length = part_size(upload.size)
    offsets = range(0, upload.size, length)

    remaining = Countdown(len(offsets))

    def send(number: int, offset: int) -> None:
        multipart.send(number, FileBody(upload.path, offset, min(length, upload.size - offset)))
        if remaining.last():
            multipart.complete()
            settled()
            done(upload.size)

    for number, offset in enumerate(offsets, start=1):
        crew.submit(partial(send, number, offset))


def part_size(size: int) -> int:
    """The length of the parts of a file: ``PART``, or what is needed to stay below S3's limit of parts."""
    needed = -(-size // _MOST_PARTS)
    return max(PART, -(-needed // _MEGABYTE) * _MEGABYTE)


class Multipart:
    """A multipart upload: the object appears with ``complete`` and not before."""

    def __init__(self, location: S3Location, sse: bool, access: Access, wire: Wire, guard: Interruption) -> None:
        self._location, self._wire, self._guard = location, wire, guard
        self._client = access.client(location.bucket)
        self._lock = threading.Lock()
        self._parts: dict[int, dict[str, Any]] = {}
        self._target = {"Bucket": location.bucket, "Key": location.key}
        encryption = {"ServerSideEncryption": "AES256"} if sse else {}
        with translated(location):
            answer = self._client.create_multipart_upload(ChecksumAlgorithm="CRC32", **self._target, **encryption)
        self._id = str(answer["UploadId"])

    def send(self, number: int, body: FileBody | BytesBody) -> None:
        """Upload part ``number`` (from 1)."""
        query = {"partNumber": str(number), "uploadId": self._id}
        headers = self._wire.call(Request("PUT", self._location, query, body=body), self._guard)
        tag = next(value for name, value in headers.items() if name.lower() == "etag")
        with self._lock:
            self._parts[number] = {"PartNumber": number, "ETag": tag, "ChecksumCRC32": body.checksum}

    def complete(self) -> None:
        """Make the object of the parts."""
        parts = [self._parts[number] for number in sorted(self._parts)]
        with translated(self._location):
            self._client.complete_multipart_upload(**self._target, UploadId=self._id, MultipartUpload={"Parts": parts})

    def abort(self) -> None:
        """Drop the parts; what cannot be dropped costs storage until a lifecycle rule does it, and is logged."""
        try:
            with translated(self._location):
                self._client.abort_multipart_upload(**self._target, UploadId=self._id)
        except DuctrunnerError as error:
            LOGGER.warning("multipart upload of %s was left open: %s", self._location, error)
