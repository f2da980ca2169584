"""The operations of the S3 API beside the bulk data: list, head, delete, and the frame of a multipart upload.

Source: Amazon S3 API Reference (ListObjectsV2, HeadObject, DeleteObjects, CreateMultipartUpload, UploadPart,
CompleteMultipartUpload, AbortMultipartUpload).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote_plus
from xml.etree import ElementTree as ET

from core.errors import DuctrunnerError, StoreError
from stores.s3.bodies import CHECKSUM_HEADER, BytesBody, DocumentBody, FileBody
from stores.s3.faults import from_answer
from stores.s3.location import ObjectInfo, S3Location
from stores.s3.wire import Body, Request, Wire
from stores.web import Interruption

LOGGER = logging.getLogger(__name__)
#: The header that asks for encryption with S3's own keys.
ENCRYPTED = {"x-amz-server-side-encryption": "AES256"}


@dataclass(frozen=True)
class Description:
    """What S3 says of an object: size in bytes, ETag, content type."""

    size: int
    etag: str
    kind: str | None


def describe(location: S3Location, wire: Wire, guard: Interruption) -> Description:
    """Return what S3 says of an object."""
    headers, _ = wire.call(Request("HEAD", location), guard)
    return Description(int(headers["content-length"]), headers.get("etag", ""), headers.get("content-type"))


def head(location: S3Location, wire: Wire, guard: Interruption) -> tuple[int, str]:
    """Size in bytes and ETag of an object."""
    described = describe(location, wire, guard)
    return described.size, described.etag


def put(
    location: S3Location,
    body: Body,
    sse: bool,
    wire: Wire,
    guard: Interruption,
    kind: str | None = None,
    condition: Mapping[str, str] | None = None,
) -> None:
    """Write an object in one request; ``kind`` is its content type, ``condition`` the header of a conditional write."""
    headers = {**(ENCRYPTED if sse else {}), **({"Content-Type": kind} if kind else {}), **(condition or {})}
    wire.call(Request("PUT", location, headers=headers, body=body), guard)


def copy(source: S3Location, target: S3Location, sse: bool, wire: Wire, guard: Interruption) -> None:
    """Let S3 copy an object of up to 5 GiB in one request (CopyObject)."""
    headers = {"x-amz-copy-source": _copy_source(source), **(ENCRYPTED if sse else {})}
    request = Request("PUT", target, headers=headers, body=DocumentBody(b""), about=source, tagged=False)
    _, content = wire.call(request, guard)
    answer = _document(content, source, "CopyObjectResult", "Error")
    if answer.tag.endswith("Error"):  # S3 may fail after it has answered 200 (API Reference)
        raise from_answer(0, answer.findtext("{*}Code", ""), source)


def listing(prefix: S3Location, wire: Wire, guard: Interruption, page: int | None = None) -> Iterator[ObjectInfo]:
    """Every object whose key begins with the prefix's; ``page`` of them come with one request."""
    bucket = S3Location(prefix.bucket, "")
    query: dict[str, str] = {"list-type": "2", "encoding-type": "url", "prefix": prefix.key}
    if page is not None:
        query["max-keys"] = str(page)
    while True:
        _, content = wire.call(Request("GET", bucket, query, about=prefix), guard)
        answer = _document(content, prefix, "ListBucketResult")
        encoded = answer.findtext("{*}EncodingType") == "url"
        for entry in answer.iterfind("{*}Contents"):
            key = entry.findtext("{*}Key", "")
            location = S3Location(prefix.bucket, unquote_plus(key) if encoded else key)
            size, etag = int(entry.findtext("{*}Size", "0")), entry.findtext("{*}ETag", "")
            yield ObjectInfo(str(location), size, etag)
        token = answer.findtext("{*}NextContinuationToken")
        if answer.findtext("{*}IsTruncated") != "true" or not token:
            return
        query["continuation-token"] = token


def delete(locations: Sequence[S3Location], wire: Wire, guard: Interruption) -> None:
    """Delete up to 1000 objects of one bucket; a missing one counts as deleted."""
    order = ET.Element("Delete")
    ET.SubElement(order, "Quiet").text = "true"
    for location in locations:
        ET.SubElement(ET.SubElement(order, "Object"), "Key").text = location.key
    bucket = S3Location(locations[0].bucket, "")
    _, content = wire.call(Request("POST", bucket, {"delete": ""}, body=BytesBody(ET.tostring(order, "utf-8"))), guard)
    for fault in _document(content, bucket, "DeleteResult").iterfind("{*}Error"):
        where = S3Location(bucket.bucket, fault.findtext("{*}Key", ""))
        raise from_answer(0, fault.findtext("{*}Code", ""), where)


class Multipart:
    """A multipart upload: the object appears with ``complete`` and not before."""

    def __init__(
        self, location: S3Location, sse: bool, wire: Wire, guard: Interruption, kind: str | None = None
    ) -> None:
        self._location, self._wire, self._guard = location, wire, guard
        self._lock = threading.Lock()
        self._parts: dict[int, Mapping[str, str]] = {}
        described = {**(ENCRYPTED if sse else {}), **({"Content-Type": kind} if kind else {})}
        headers = {"x-amz-checksum-algorithm": "CRC32", **described}
        _, content = wire.call(Request("POST", location, {"uploads": ""}, headers, DocumentBody(b"")), guard)
        begun = _document(content, location, "InitiateMultipartUploadResult")
        self._id = begun.findtext("{*}UploadId", "")

    def send(self, number: int, body: FileBody | BytesBody) -> None:
        """Upload part ``number`` (from 1)."""
        query = {"partNumber": str(number), "uploadId": self._id}
        headers, _ = self._wire.call(Request("PUT", self._location, query, body=body), self._guard)
        part = {"ETag": headers.get("etag", ""), "PartNumber": str(number)}
        if CHECKSUM_HEADER in headers:  # servers that do not know the checksum do not want it named again
            part["ChecksumCRC32"] = headers[CHECKSUM_HEADER]
        with self._lock:
            self._parts[number] = part

    def copy(self, number: int, source: S3Location, etag: str, span: tuple[int, int]) -> None:
        """Let S3 make part ``number`` of bytes ``[first, end)`` of another object, of the version with this ETag."""
        first, end = span
        headers = {
            "x-amz-copy-source": _copy_source(source),
            "x-amz-copy-source-range": f"bytes={first}-{end - 1}",
            "x-amz-copy-source-if-match": etag,
        }
        query = {"partNumber": str(number), "uploadId": self._id}
        request = Request("PUT", self._location, query, headers, DocumentBody(b""), about=source, tagged=False)
        _, content = self._wire.call(request, self._guard)
        answer = _document(content, source, "CopyPartResult", "Error")
        if answer.tag.endswith("Error"):
            raise from_answer(0, answer.findtext("{*}Code", ""), source)
        part = {"ETag": answer.findtext("{*}ETag", ""), "PartNumber": str(number)}
        if checksum := answer.findtext("{*}ChecksumCRC32"):
            part["ChecksumCRC32"] = checksum
        with self._lock:
            self._parts[number] = part

    def complete(self) -> None:
        """Make the object of the parts."""
        order = ET.Element("CompleteMultipartUpload", xmlns="http://s3.amazonaws.com/doc/2006-03-01/")
        for number in sorted(self._parts):
            part = ET.SubElement(order, "Part")
            for name, value in self._parts[number].items():
                ET.SubElement(part, name).text = value
        body = DocumentBody(ET.tostring(order, "utf-8"))
        _, content = self._wire.call(Request("POST", self._location, {"uploadId": self._id}, body=body), self._guard)
        answer = _document(content, self._location, "CompleteMultipartUploadResult", "Error")
        if answer.tag.endswith("Error"):  # S3 may fail after it has answered 200 (API Reference)
            raise from_answer(0, answer.findtext("{*}Code", ""), self._location)

    def abort(self) -> None:
        """Drop the parts; what cannot be dropped costs storage until a lifecycle rule does it, and is logged."""
        try:  # not under the guard: it is set when this is called
            self._wire.call(Request("DELETE", self._location, {"uploadId": self._id}), Interruption())
        except DuctrunnerError as error:
            LOGGER.warning("multipart upload of %s was left open: %s", self._location, error)


def _copy_source(source: S3Location) -> str:
    return quote(f"/{source.bucket}/{source.key}", safe="/~")


def _document(content: bytes, where: S3Location, *names: str) -> ET.Element:
    """Parse an answer; its root has one of the names, or somebody else than S3 has answered (a proxy's page)."""
    try:
        root = ET.fromstring(content)  # noqa: S314  # expat (2.4.1 and later) bounds entity expansion itself
    except ET.ParseError:
        root = None
    if root is None or root.tag.rpartition("}")[2] not in names:
        raise StoreError(f"the answer for {where} is not S3's; check that the endpoint is an S3 server")
    return root
