"""Objects to objects inside S3: no byte comes by here. They appear together, or each with one request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from stores.s3.bodies import BytesBody
from stores.s3.crew import Countdown, Crew
from stores.s3.location import S3Location
from stores.s3.operations import Multipart, copy, describe
from stores.s3.wire import Wire

#: Bytes of one part; S3 copies up to 5 GiB with one request (UploadPartCopy), and takes at most 10,000 parts.
PART = 1 << 30


@dataclass(frozen=True)
class Copy:
    """An object that is to be copied; ``sse`` asks for server-side encryption with S3's own keys."""

    source: S3Location
    target: S3Location
    sse: bool


#: Bytes of the largest object that S3 copies with one request.
LARGEST_AT_ONCE = 5 << 30


def start_copy_at_once(task: Copy, wire: Wire, crew: Crew, done: Callable[[int], None]) -> None:
    """Copy one object with one request; it appears by itself. ``done`` gets no size, as nobody has asked for it."""
    copy(task.source, task.target, task.sse, wire, crew.guard)
    done(0)


def start_copy(copy: Copy, wire: Wire, crew: Crew, done: Callable[[int, Callable[[], None]], None]) -> None:
    """Copy one object on the crew's threads; ``done`` gets its size and the call that makes it appear."""
    described = describe(copy.source, wire, crew.guard)
    multipart = Multipart(copy.target, copy.sse, wire, crew.guard, described.kind)
    settled = crew.on_failure(multipart.abort)

    def publish() -> None:
        multipart.complete()
        settled()

    if not described.size:  # a range of nothing cannot be copied
        multipart.send(1, BytesBody(b""))
        done(0, publish)
        return
    spans = [(start, min(start + PART, described.size)) for start in range(0, described.size, PART)]
    remaining = Countdown(len(spans))

    def part(number: int, span: tuple[int, int]) -> None:
        multipart.copy(number, copy.source, described.etag, span)
        if remaining.last():
            done(described.size, publish)

    for number, span in enumerate(spans, start=1):
        crew.submit(partial(part, number, span))
