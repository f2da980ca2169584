"""Files to objects: small ones in one PUT, large ones as multipart uploads with the parts side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from stores.s3.bodies import FileBody
from stores.s3.crew import Countdown, Crew
from stores.s3.location import S3Location
from stores.s3.operations import Multipart, put
from stores.s3.wire import Wire

#: Bytes of a part; the sent part of a file is never held in memory.
PART = 32 * 1024 * 1024
#: S3 takes at most this many parts ("Amazon S3 multipart upload limits").
_MOST_PARTS = 10_000
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Upload:
    """A file that is to become an object; ``sse`` asks for server-side encryption with S3's own keys."""

    path: Path
    location: S3Location
    size: int
    sse: bool


def start_upload(upload: Upload, wire: Wire, crew: Crew, done: Callable[[int], None]) -> None:
    """Send one file on the crew's threads; ``done`` gets its size when the object is there."""
    if upload.size <= PART:
        put(upload.location, FileBody(upload.path, 0, upload.size), upload.sse, wire, crew.guard)
        done(upload.size)
        return

    def sent(size: int, publish: Callable[[], None]) -> None:
        publish()
        done(size)

    begin_upload(upload, wire, crew, sent)


def begin_upload(upload: Upload, wire: Wire, crew: Crew, done: Callable[[int, Callable[[], None]], None]) -> None:
    """Send one file on the crew's threads; ``done`` gets its size and the call that makes the object appear."""
    multipart = Multipart(upload.location, upload.sse, wire, crew.guard)
    settled = crew.on_failure(multipart.abort)
    length = part_size(upload.size)
    offsets = range(0, max(upload.size, 1), length)
    remaining = Countdown(len(offsets))

    def publish() -> None:
        multipart.complete()
        settled()

    def send(number: int, offset: int) -> None:
        multipart.send(number, FileBody(upload.path, offset, min(length, upload.size - offset)))
        if remaining.last():
            done(upload.size, publish)

    for number, offset in enumerate(offsets, start=1):
        crew.submit(partial(send, number, offset))


def part_size(size: int) -> int:
    """The length of the parts of a file: ``PART``, or what is needed to stay below S3's limit of parts."""
    needed = -(-size // _MOST_PARTS)
    return max(PART, -(-needed // _MEGABYTE) * _MEGABYTE)
