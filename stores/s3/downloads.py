"""Objects to files: small ones in one request, large ones in ranges side by side."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from core.errors import StoreError
from stores.s3.bodies import scratch
from stores.s3.crew import Countdown, Crew
from stores.s3.faults import local_file
from stores.s3.location import S3Location
from stores.s3.operations import head
from stores.s3.wire import Reply, Request, Wire, persistently
from stores.web import Interruption

#: Bytes of one ranged request; nothing of it is kept in memory.
RANGE = 32 * 1024 * 1024
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/")


@dataclass(frozen=True)
class Download:
    """An object that is to become a file; ``size`` in bytes as the listing said."""

    location: S3Location
    path: Path
    size: int


def start_download(download: Download, wire: Wire, crew: Crew, done: Callable[[int], None]) -> None:
    """Fetch one object on the crew's threads; ``done`` gets its size when the file is complete.

    The file appears whole under its name or not at all.
    """
    target = _Target(download.path)
    target.settled = crew.on_failure(target.discard)
    if download.size <= RANGE:
        _whole(download, wire, crew.guard, target)
        done(target.publish())
        return
    size, etag = head(download.location, wire, crew.guard)
    target.allocate(size)
    starts = range(0, max(size, 1), RANGE)
    remaining = Countdown(len(starts))

    def fetch(start: int) -> None:
        _range(download.location, etag, start, min(start + RANGE, size), wire, crew.guard, target)
        if remaining.last():
            done(target.publish())

    for start in starts:
        crew.submit(partial(fetch, start))


class _Target:
    """The file under a temporary name, until it is complete."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.temporary = path.with_name(f".{secrets.token_hex(8)}.part")
        self.settled: Callable[[], None] = lambda: None

    def open(self) -> int:
        with local_file(self.path):
            return os.open(self.temporary, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)

    def allocate(self, size: int) -> None:
        with local_file(self.path), self.temporary.open("xb") as file:
            file.truncate(size)

    def publish(self) -> int:
        with local_file(self.path):
            size = self.temporary.stat().st_size
            self.temporary.replace(self.path)
        self.settled()
        return size

    def discard(self) -> None:
        self.temporary.unlink(missing_ok=True)


def _whole(download: Download, wire: Wire, guard: Interruption, target: _Target) -> None:
    def attempt() -> None:
        descriptor = target.open()
        try:
            with wire.open(Request("GET", download.location), guard) as reply:
                length = _drain(reply, descriptor, 0, target.path)
            with local_file(target.path):
                os.ftruncate(descriptor, length)  # an earlier attempt may have got further, of an older object
        finally:
            os.close(descriptor)

    persistently(attempt, guard)


def _range(
    location: S3Location, etag: str, start: int, end: int, wire: Wire, guard: Interruption, target: _Target
) -> None:
    """Fetch ``[start, end)``; after a broken connection only what is still missing."""
    descriptor = target.open()
    position = start

    def attempt() -> None:
        nonlocal position
        headers = {"Range": f"bytes={position}-{end - 1}", "If-Match": etag}
        with wire.open(Request("GET", location, headers=headers), guard) as reply:
            _check_range(reply, location, position)
            while position < end and (count := reply.readinto(scratch())):
                with local_file(target.path):
                    os.pwrite(descriptor, scratch()[: min(count, end - position)], position)
                position += count

    try:
        persistently(attempt, guard)
    finally:
        os.close(descriptor)


def _check_range(reply: Reply, location: S3Location, position: int) -> None:
    match = _CONTENT_RANGE.match(reply.headers.get("Content-Range", ""))
    if not match or int(match[1]) != position:
        raise StoreError(f"the server of {location} ignores Range requests; large objects cannot be read from it")


def _drain(reply: Reply, descriptor: int, position: int, path: Path) -> int:
    while count := reply.readinto(scratch()):
        with local_file(path):
            os.pwrite(descriptor, scratch()[:count], position)
        position += count
    return position
