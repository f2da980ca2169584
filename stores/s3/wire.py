"""Bulk data to and from S3 over HTTP connections of our own: GET, PUT and UploadPart, signed, checked and tried again.

Why not an SDK: file contents go from the page cache to the socket (``sendfile``) and from the socket into one buffer
per thread, so that a transfer costs a fifth of the processor time of boto3's or obstore's and memory does not grow with
the part size; keys are literal (obstore refuses ``a//b`` and drops a leading slash); and a cancel cuts the connections.
"""

from __future__ import annotations

import http.client
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from core.errors import StoreUnreachable
from stores.identity import EXPIRED
from stores.s3.access import Access, Base
from stores.s3.faults import element, from_answer, may_be_clock
from stores.s3.location import S3Location
from stores.web import Address, Connections, Interruption, unreachable

#: Seconds before each further try after a failure that may pass (upper bounds; the wait is random below them).
BACKOFF = (0.2, 0.5, 1.0, 2.0)
#: Seconds without a byte until a connection counts as broken.
READ_TIMEOUT = 60.0
#: What S3 answers about an object with its ETag; a page that a proxy puts in between has none.
_TAGGED = frozenset({"GET", "PUT"})
_ERROR_DOCUMENT = 64 * 1024
_BLOCK = 64 * 1024

Result = TypeVar("Result")


class Body(Protocol):
    """What a PUT carries: its length in bytes, its headers (checksum) and how it is written to a socket."""

    @property
    def size(self) -> int:
        """Length in bytes."""

    def headers(self) -> Mapping[str, str]:
        """Headers that describe the content."""

    def send(self, sock: Any) -> None:
        """Write all bytes to the socket."""


@dataclass(frozen=True)
class Request:
    """One HTTP request about one object."""

    method: str
    location: S3Location
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body | None = None
    #: What error messages name instead of ``location``: the prefix of a listing.
    about: S3Location | None = None
    #: Whether S3 says the ETag in the answer's head.
    tagged: bool = True

    @property
    def where(self) -> S3Location:
        """What error messages name."""
        return self.about or self.location


class Reply:
    """A good answer. Reading raises ``StoreUnreachable`` when the connection breaks before the announced length."""

    def __init__(
        self, response: http.client.HTTPResponse, where: S3Location, address: Address, guard: Interruption
    ) -> None:
        self.headers = response.headers
        self._response, self._where, self._address, self._guard = response, where, address, guard
        #: Bytes still to come; ``None`` when the server did not announce a length.
        self.remaining = response.length

    def readinto(self, buffer: memoryview) -> int:
        """Fill the beginning of ``buffer``; 0 at the end of the body."""
        try:
            count = self._response.readinto(buffer)
        except (OSError, http.client.HTTPException) as error:
            raise self._broken(error) from None
        if self.remaining is not None:
            self.remaining -= count
            if count == 0 and self.remaining > 0 and len(buffer) > 0:
                raise self._broken(ConnectionError("the connection ended early"))
        return count

    def finished(self) -> bool:
        """Whether the body was read to its end, so that the connection can be used again."""
        return self._response.isclosed() and not self._response.will_close

    def _broken(self, error: BaseException) -> Exception:
        return _lost(error, self._where, self._address, self._guard)


class Wire:
    """Sends signed requests over pooled connections."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._pool = Connections(lambda: access.identity.certificates, READ_TIMEOUT)

    def close(self) -> None:
        """Close the idle connections."""
        self._pool.close()

    @contextmanager
    def open(self, request: Request, guard: Interruption) -> Iterator[Reply]:
        """Send a request once and give its answer.

        Raises:
            StoreUnreachable: no connection, it broke, or S3 answered 5xx: worth another try.
            AccessDenied, NotFound, StoreError: S3 refused.
            InterruptedError: ``guard`` was interrupted.
        """
        base = self._access.base(request.location.bucket)
        connection, _ = self._pool.take(base.address)
        reply: Reply | None = None
        try:
            with guard.watching(connection):
                response, token = self._exchange(connection, base, request, guard)
                self._raise_for(response, request, token)
                reply = Reply(response, request.where, base.address, guard)
                yield reply
        finally:
            if reply is not None and reply.finished():
                self._pool.give(base.address, connection)
            else:
                connection.close()

    def call(self, request: Request, guard: Interruption) -> tuple[Mapping[str, str], bytes]:
        """Send a request, again if that may help; the answer's headers (names in small letters) and its body."""

        def once() -> tuple[Mapping[str, str], bytes]:
            with self.open(request, guard) as reply:
                content, block = bytearray(), memoryview(bytearray(_BLOCK))
                while count := reply.readinto(block):
                    content += block[:count]
                return {name.lower(): value for name, value in reply.headers.items()}, bytes(content)

        return persistently(once, guard)

    def _exchange(
        self, connection: http.client.HTTPConnection, base: Base, request: Request, guard: Interruption
    ) -> tuple[http.client.HTTPResponse, str | None]:
        """The answer's head, and the session token with which it was asked for."""
        try:
            self._pool.open(connection, guard)
            token = self._send(connection, base, request)
            return connection.getresponse(), token
        except (OSError, http.client.HTTPException) as error:
            raise _lost(error, request.where, base.address, guard) from None

    def _send(self, connection: http.client.HTTPConnection, base: Base, request: Request) -> str | None:
        body = request.body
        described = {**request.headers, **(body.headers() if body else {})}
        target, headers = self._access.sign(request.method, request.location, request.query, described)
        line = base.address.request_target(target)
        connection.putrequest(request.method, line, skip_host=True, skip_accept_encoding=True)
        for name, value in {**headers, **base.address.forwarding_headers()}.items():
            connection.putheader(name, value)
        if body:
            connection.putheader("Content-Length", str(body.size))
        connection.endheaders()
        if body:
            _send_body(body, connection)
        return headers.get("X-Amz-Security-Token")

    def _raise_for(self, response: http.client.HTTPResponse, request: Request, token: str | None) -> None:
        where = request.where
        if 200 <= response.status < 300:
            tagged = request.tagged and request.location.key and request.method in _TAGGED
            if tagged and not response.headers.get("ETag"):
                raise StoreUnreachable(f"the answer for {where} is not S3's: it has no ETag; check the proxy")
            return
        try:
            document = response.read(_ERROR_DOCUMENT)
        except (OSError, http.client.HTTPException):
            document = b""  # the status alone says enough
        code = element(b"Code", document)
        region = response.headers.get("x-amz-bucket-region") or element(b"Region", document)
        if region and response.status in {301, 307, 400} and self._access.learn_region(where.bucket, region):
            raise StoreUnreachable(f"the bucket {where.bucket!r} is in the region {region}; trying there")
        if code in EXPIRED and self._access.identity.renew(token):
            raise StoreUnreachable(f"the session token for {where} had expired; trying with a new one")
        if may_be_clock(response.status, code) and self._access.identity.time.learn(response.headers.get("Date")):
            raise StoreUnreachable(f"the time of the request for {where} was refused; trying at the service's time")
        raise from_answer(response.status, code, where, response.headers.get("Date"))


def persistently(action: Callable[[], Result], guard: Interruption) -> Result:
    """Call ``action`` until it does not raise ``StoreUnreachable``, at most five times; it may keep progress."""
    for limit in BACKOFF:
        try:
            return action()
        except StoreUnreachable:
            guard.wait(random.uniform(0, limit))  # noqa: S311  # jitter, not a secret
    return action()


def _send_body(body: Body, connection: http.client.HTTPConnection) -> None:
    """Send the body; a server that refuses early may close before it is all sent, its answer is read nevertheless."""
    try:
        body.send(connection.sock)
    except (BrokenPipeError, ConnectionResetError):
        connection.sock.settimeout(1.0)


def _lost(error: BaseException, where: S3Location, address: Address, guard: Interruption) -> Exception:
    if guard.is_set():
        return InterruptedError("the transfer was cancelled")
    return unreachable(address, f"for {where}", error)
