"""S3 as the rest of the product sees it."""

from __future__ import annotations

import io
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from core.errors import NotFound, ObjectReplaced, StagingFailed, StoreError
from stores.s3.access import Access
from stores.s3.bodies import BytesBody, BytesLike
from stores.s3.copies import Copy, start_copy, start_copy_at_once
from stores.s3.crew import Countdown, Crew, Job
from stores.s3.downloads import Download, start_download
from stores.s3.faults import local_file
from stores.s3.location import ObjectInfo, S3Location, TransferTotals, parse_uri
from stores.s3.operations import delete, head, listing, put
from stores.s3.room import require_room
from stores.s3.streams import Draft, ObjectReader, ObjectWriter
from stores.s3.trees import DirectoryPlan, walk
from stores.s3.uploads import Upload, begin_upload, start_upload
from stores.s3.wire import Wire
from stores.web import Interruption

#: DeleteObjects takes at most this many keys.
_DELETE_BATCH = 1000
_READ_BUFFER = 1024 * 1024
#: Transfers that are waiting or under way at the same time, so that memory does not grow with their number.
_BATCH = 5_000


class S3Store:
    """Objects in S3, moved in bulk, as streams or as bytes; safe to use from several threads.

    ``concurrency`` bounds the requests that one bulk operation has under way; ``proxy`` (``http://login@host:port``) is
    used in place of the environment's. Keys are literal. Every method raises
    ``NotFound``, ``AccessDenied`` or ``StoreUnreachable`` with the address in the message; a cancelled operation raises
    ``InterruptedError`` within a second and leaves no partial file and no partial object.
    """

    def __init__(
        self,
        region: str | None = None,
        endpoint: str | None = None,
        concurrency: int = 16,
        proxy: str | None = None,
    ) -> None:
        self._access = Access(region, endpoint, proxy)
        self._wire = Wire(self._access)
        self._concurrency = concurrency

    def region(self, bucket: str) -> str:
        """The bucket's region where an answer of S3 has told it, else the configured one."""
        return self._access.region(bucket)

    def close(self) -> None:
        """Close the idle connections; the store can still be used."""
        self._wire.close()

    def download_file(self, uri: str, path: Path, cancelled: threading.Event | None = None) -> TransferTotals:
        """Fetch one object into ``path``; the file appears whole or not at all."""
        location = parse_uri(uri)
        return self.download_many([Download(location, path, self.size(uri))], cancelled)

    def upload_file(
        self, path: Path, uri: str, sse: bool = True, cancelled: threading.Event | None = None
    ) -> TransferTotals:
        """Send one file; the object appears whole or not at all."""
        with local_file(path):
            size = path.stat().st_size
        return self.upload_many([Upload(path, parse_uri(uri), size, sse)], cancelled)

    def download_prefix(
        self, uri: str, directory: Path, reserve: int = 0, cancelled: threading.Event | None = None
    ) -> TransferTotals:
        """Fetch everything below ``uri`` into ``directory`` with relative paths; ``reserve`` bytes of disk stay free.

        Raises:
            NotFound: there is no object below ``uri``, not even a directory marker.
            StagingFailed: a key cannot become a file name, or two keys become the same.
            DiskFull: it does not fit; nothing was written.
        """
        plan = self.plan_directory(uri, directory, cancelled)
        downloads = plan.downloads
        with local_file(directory):
            directory.mkdir(parents=True, exist_ok=True)
        require_room([item.size for item in downloads], len(downloads) + len(plan.directories), directory, reserve)
        plan.create_directories()
        return self.download_many(downloads, cancelled)

    def plan_directory(self, uri: str, directory: Path, cancelled: threading.Event | None = None) -> DirectoryPlan:
        """List what is below ``uri`` and decide where it goes, without writing anything; errors as above."""
        prefix = parse_uri(uri).as_directory()
        plan = DirectoryPlan(prefix, directory)

        def collect(guard: Interruption) -> None:
            for entry in listing(prefix, self._wire, guard):
                plan.add(entry)
            if not plan.directories:
                raise NotFound(f"there is nothing below {prefix}; check the path, or write a directory marker there")

        _run(collect, cancelled)
        return plan

    def plan_file(self, uri: str, directory: Path, cancelled: threading.Event | None = None) -> DirectoryPlan:
        """Plan one object as a file of its own name in ``directory``; ``NotFound`` when it is not there."""
        location = parse_uri(uri)
        plan = DirectoryPlan(S3Location(location.bucket, location.key.removesuffix(location.name)), directory)

        def measure(guard: Interruption) -> None:
            if not location.name:
                raise StagingFailed(f"{location} ends with a slash: it names a directory, use directoryPath")
            plan.add(ObjectInfo(str(location), head(location, self._wire, guard)[0]))

        _run(measure, cancelled)
        return plan

    def download_many(self, downloads: Sequence[Download], cancelled: threading.Event | None = None) -> TransferTotals:
        """Fetch objects side by side into existing directories; the first failure ends all."""
        return self._transfer(cancelled, (partial(start_download, item, self._wire) for item in downloads))

    def upload_directory(
        self, directory: Path, uri: str, sse: bool = True, cancelled: threading.Event | None = None
    ) -> TransferTotals:
        """Send every file below ``directory`` with its relative path; see ``trees.walk`` for links and odd files."""
        return self.upload_many(list(walk(directory, parse_uri(uri), sse)), cancelled)

    def upload_many(self, uploads: Iterable[Upload], cancelled: threading.Event | None = None) -> TransferTotals:
        """Send files side by side; the first failure ends all."""
        return self._transfer(cancelled, (partial(start_upload, item, self._wire) for item in uploads))

    def upload_together(
        self, uploads: Sequence[Upload], cancelled: threading.Event | None = None, before: Job = lambda: None
    ) -> TransferTotals:
        """Send files side by side; none of the objects appears before all are sent (three requests for each).

        ``before`` is called when they are, and the first one is about to appear.
        """
        return self._together(cancelled, [partial(begin_upload, item, self._wire) for item in uploads], before)

    def copy_many(
        self, copies: Sequence[Copy], cancelled: threading.Event | None = None, before: Job = lambda: None
    ) -> TransferTotals:
        """Copy objects inside S3; none of them appears before all are copied; ``before`` as above."""
        return self._together(cancelled, [partial(start_copy, item, self._wire) for item in copies], before)

    def copy_each(self, copies: Iterable[Copy], cancelled: threading.Event | None = None) -> TransferTotals:
        """Copy objects of up to 5 GiB with one request each, side by side; each appears as it is copied."""
        return self._transfer(cancelled, (partial(start_copy_at_once, item, self._wire) for item in copies))

    def list(self, uri: str) -> Iterator[ObjectInfo]:
        """Every object whose key begins with that of ``uri`` (a plain prefix: ``a`` also finds ``ab``), by key."""
        return listing(parse_uri(uri), self._wire, Interruption())

    def exists(self, uri: str) -> bool:
        """Whether there is an object with exactly this key."""
        try:
            self.size(uri)
        except NotFound:
            return False
        return True

    def holds(self, uri: str, *, directory: bool, cancelled: threading.Event | None = None) -> bool:
        """Whether there is an object of this key or, for a ``directory``, anything below it (a marker counts)."""
        location = parse_uri(uri)
        found: list[object] = []

        def look(guard: Interruption) -> None:
            if directory:
                found.extend(itertools.islice(listing(location.as_directory(), self._wire, guard, page=1), 1))
            else:
                found.append(head(location, self._wire, guard))

        try:
            _run(look, cancelled)
        except NotFound:
            return False
        return bool(found)

    def describe(self, uri: str) -> ObjectInfo:
        """Size and ETag of an object."""
        size, etag = head(parse_uri(uri), self._wire, Interruption())
        return ObjectInfo(uri, size, etag)

    def size(self, uri: str) -> int:
        """Bytes of an object."""
        return head(parse_uri(uri), self._wire, Interruption())[0]

    def get_bytes(self, uri: str, limit: int) -> bytes:
        """The content of a small object.

        Raises:
            StoreError: it has more than ``limit`` bytes.
        """
        return self.get_tagged(uri, limit)[0]

    def get_tagged(self, uri: str, limit: int) -> tuple[bytes, str]:
        """The content of a small object and the ETag of this version; raises as ``get_bytes``."""
        source = ObjectReader(parse_uri(uri), self._wire)
        with io.BufferedReader(source, _READ_BUFFER) as reader:
            content = reader.read(limit + 1)
        if len(content) > limit:
            raise StoreError(f"{uri} is larger than the {limit} bytes that are allowed here")
        return content, source.etag

    def put_bytes(self, uri: str, data: BytesLike, sse: bool = True, content_type: str | None = None) -> None:
        """Write a small object."""
        put(parse_uri(uri), BytesBody(data), sse, self._wire, Interruption(), content_type)

    def put_over(self, uri: str, data: BytesLike, etag: str | None, content_type: str | None = None) -> None:
        """Write a small object over the version with this ETag; ``None``: over none at all.

        Raises:
            ObjectReplaced: another version is there, or none. (Also when the write was done, its answer was lost, and
                it was tried again: look whether what is there is your own.)
        """
        condition = {"If-Match": etag} if etag else {"If-None-Match": "*"}
        body = BytesBody(data)
        try:
            put(parse_uri(uri), body, True, self._wire, Interruption(), content_type, condition)
        except NotFound:
            if etag is None:
                raise
            raise ObjectReplaced(f"{uri} was removed in between; run it again") from None

    def delete(self, uris: Iterable[str]) -> None:
        """Delete objects; those that are not there count as deleted."""
        by_bucket: dict[str, list[S3Location]] = {}
        for location in map(parse_uri, uris):
            by_bucket.setdefault(location.bucket, []).append(location)
        for locations in by_bucket.values():
            for start in range(0, len(locations), _DELETE_BATCH):
                delete(locations[start : start + _DELETE_BATCH], self._wire, Interruption())

    def open_reader(self, uri: str) -> BinaryIO:
        """An object as a readable stream; the first request is made here, so that a missing one fails here."""
        return cast(BinaryIO, io.BufferedReader(ObjectReader(parse_uri(uri), self._wire), _READ_BUFFER))

    def open_writer(self, uri: str, sse: bool = True) -> ObjectWriter:
        """A context manager with ``write``; the object appears when its block ends without an error."""
        return ObjectWriter(parse_uri(uri), sse, self._wire)

    def open_draft(self, uri: str, sse: bool = True) -> Draft:
        """An object to write that appears when it is published; see ``Draft``."""
        return Draft(parse_uri(uri), sse, self._wire)

    def _together(self, cancelled: threading.Event | None, starts: Sequence[_Draft], before: Job) -> TransferTotals:
        tally, drafts = _Tally(), list[Job]()
        if not starts:
            before()
            return tally.totals
        crew = Crew(min(self._concurrency, len(starts) * 4), cancelled)
        remaining = Countdown(len(starts))

        def done(size: int, publish: Job) -> None:
            tally.add(size)
            drafts.append(publish)
            if remaining.last():
                before()
                for draft in drafts:
                    crew.submit(draft)

        for start in starts:
            crew.submit(partial(start, crew, done))
        crew.finish()
        return tally.totals

    def _transfer(self, cancelled: threading.Event | None, starts: Iterable[_Start]) -> TransferTotals:
        tally, remaining = _Tally(), iter(starts)
        while batch := list(itertools.islice(remaining, _BATCH)):
            crew = Crew(min(self._concurrency, len(batch) * 16), cancelled)
            for start in batch:
                crew.submit(partial(start, crew, tally.add))
            crew.finish()
        return tally.totals


def _run(job: Callable[[Interruption], None], cancelled: threading.Event | None) -> None:
    """Run one job on a thread of its own, so that a cancel need not wait for the server."""
    crew = Crew(1, cancelled)
    crew.submit(partial(job, crew.guard))
    crew.finish()


_Start = Callable[[Crew, Callable[[int], None]], None]
_Draft = Callable[[Crew, Callable[[int, Job], None]], None]


class _Tally:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.totals = TransferTotals()

    def add(self, size: int) -> None:
        with self._lock:
            self.totals += TransferTotals(1, size)
