"""Objects as streams: reading without a file, writing without knowing the length."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from stores.s3.bodies import BytesBody, BytesLike
from stores.s3.location import S3Location
from stores.s3.operations import Multipart, put
from stores.s3.wire import Reply, Request, Wire, persistently
from stores.web import Interruption

#: Bytes collected for a part of a stream; doubled every ``_GROWTH`` parts, so that 10,000 parts hold S3's 5 TB.
_PART = 8 * 1024 * 1024
_GROWTH = 1500


class ObjectReader(io.RawIOBase):
    """The bytes of an object, in order. After a broken connection it goes on where it was, of the same version."""

    def __init__(self, location: S3Location, wire: Wire) -> None:
        self._location, self._wire = location, wire
        self._guard = Interruption()
        self._request = ExitStack()
        self._reply: Reply | None = None
        self._position = 0
        self._etag: str | None = None
        persistently(self._connect, self._guard)

    @property
    def etag(self) -> str:
        """The ETag of the version that is read."""
        return self._etag or ""

    def readable(self) -> bool:
        """Always true."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the beginning of ``buffer``; 0 at the end."""
        view = memoryview(buffer).cast("B")

        def attempt() -> int:
            if self._reply is None:
                self._connect()
            assert self._reply is not None
            try:
                return self._reply.readinto(view)
            except BaseException:
                self._disconnect()
                raise

        count = persistently(attempt, self._guard)
        self._position += count
        return count

    def close(self) -> None:
        """Give the connection back, or drop it when the object was not read to its end."""
        self._disconnect()
        super().close()

    def _connect(self) -> None:
        headers = {}
        if self._etag and self._position:
            headers = {"Range": f"bytes={self._position}-", "If-Match": self._etag}
        self._reply = self._request.enter_context(
            self._wire.open(Request("GET", self._location, headers=headers), self._guard)
        )
        self._etag = self._reply.headers.get("ETag")

    def _disconnect(self) -> None:
        self._reply = None
        self._request.close()


class ObjectWriter:
    """Writes an object of unknown length; it appears when the ``with`` block ends well, and not at all otherwise.

    Holds two parts in memory: one that is being filled and one that is on its way (8 MiB each up to 12 GB written).
    """

    def __init__(self, location: S3Location, sse: bool, wire: Wire) -> None:
        self._location, self._sse, self._wire = location, sse, wire
        self._guard = Interruption()
        self._buffer = bytearray()
        self._number = 0
        self._multipart: Multipart | None = None
        self._sender = ThreadPoolExecutor(1, thread_name_prefix="s3-writer")
        self._sending: Future[None] | None = None

    def __enter__(self) -> ObjectWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
            else:
                self._drop()
        except BaseException:
            self._drop()
            raise
        finally:
            self._sender.shutdown()

    def write(self, data: BytesLike) -> int:
        """Add bytes; returns how many.

        Raises:
            StoreUnreachable, AccessDenied, NotFound: a part could not be written; leave the block with the error.
        """
        view = memoryview(data).cast("B")
        position = 0
        while position < view.nbytes:
            size = _part_length(self._number)
            piece = view[position : position + size - len(self._buffer)]
            self._buffer += piece
            position += piece.nbytes
            if len(self._buffer) >= size:
                self._send_part()
        return view.nbytes

    def _send_part(self) -> None:
        self._settle()
        if self._multipart is None:
            self._multipart = Multipart(self._location, self._sse, self._wire, self._guard)
        self._number += 1
        full, self._buffer = self._buffer, bytearray()
        self._sending = self._sender.submit(_send, self._multipart.send, self._number, full)

    def _settle(self) -> None:
        if self._sending:
            sending, self._sending = self._sending, None
            sending.result()

    def _finish(self) -> None:
        if self._multipart is None:
            put(self._location, BytesBody(self._buffer), self._sse, self._wire, self._guard)
            return
        if self._buffer:
            self._send_part()
        self._settle()
        self._multipart.complete()

    def _drop(self) -> None:
        self._guard.interrupt()
        self._sender.shutdown()
        if self._multipart:
            self._multipart.abort()


class Draft(ObjectWriter):
    """An object that is written now and appears when it is published, so that several can appear together.

    ``seal`` after the last byte; then it holds no memory and no thread. What is neither published nor discarded costs
    storage until a lifecycle rule drops the multipart upload.
    """

    def seal(self) -> None:
        """Send what is left."""
        if self._multipart is None or self._buffer:
            self._send_part()
        self._settle()
        self._sender.shutdown()

    def publish(self) -> None:
        """Make the object appear."""
        assert self._multipart is not None  # it is sealed
        self._multipart.complete()

    def discard(self) -> None:
        """Drop what was sent."""
        self._drop()


def _part_length(number: int) -> int:
    return int(_PART << (number // _GROWTH))


def _send(send: Callable[[int, BytesBody], None], number: int, data: bytearray) -> None:
    send(number, BytesBody(data))
