"""The high-water mark of an incremental extract: a small JSON document, replaced in one step after the output is there.

It holds the mark, what was delivered close to it (the edge), and the last run with the mark that it began from, so that
the same run can be done again. The values of the cursor column stand in it, of all other columns digests only.

Of two runs that began from one mark only one publishes: from the last look at the mark until it is set, a run holds the
mark's lock.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import NotFound, ObjectReplaced, ParameterError, RecordMalformed, StoreError
from steps_impl.extract.mark_lock import ObjectLock, locked_directory
from steps_impl.extract.outputs import LocalOutput, in_s3

if TYPE_CHECKING:
    from stores.s3 import S3Store

NAME = "_mark.json"
#: Digests that are kept one by one; of more rows only their number and their sum.
MOST_DIGESTS = 100_000
_LIMIT = 16 << 20


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Digests:
    """Digests of rows: their number, their sum, and which they are as long as they are not too many."""

    def __init__(self, digests: Iterable[str] = ()) -> None:
        self.count = self.total = 0
        self.each: Counter[str] | None = Counter()
        for digest in digests:
            self.count += 1
            self.total += int(digest, 16)
            if self.each is not None:
                self.each[digest] += 1
                if self.count > MOST_DIGESTS:
                    self.each = None


class Edge(_Document):
    """The rows from ``start`` to the mark, both included, as they were delivered."""

    start: str
    count: int
    total: str  # the sum of all digests, in hexadecimal
    digests: tuple[str, ...] | None = None  # sorted, repeated for equal rows; None: too many

    @classmethod
    def of(cls, start: str, found: Digests) -> Edge:
        """Return the edge of rows with these digests."""
        kept = tuple(sorted(found.each.elements())) if found.each is not None else None
        return cls(start=start, count=found.count, total=f"{found.total:x}", digests=kept)

    def fresh(self, now: Digests) -> Counter[str] | None:
        """Return the digests of ``now`` that were not delivered; ``None``: some were not, but nobody knows which."""
        if (now.count, f"{now.total:x}") == (self.count, self.total):
            return Counter()
        if self.digests is None or now.each is None:
            return None
        return now.each - Counter(self.digests)


class Point(_Document):
    """A mark: the greatest cursor value that was delivered, and the edge below it."""

    mark: str
    edge: Edge


class LastRun(_Document):
    """The run that set the mark, and where it began (``None``: at the very beginning)."""

    key: str | None
    began: Point | None


class MarkDocument(_Document):
    """What is kept from one run to the next."""

    format: Literal[1] = 1
    #: What was read, so that no other table goes on from this mark.
    source: str
    cursor: str
    cursor_type: str
    point: Point | None
    run: LastRun


class MarkStore:
    """The place of the document: an object in S3 or a file."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._store = _store() if in_s3(address) else None
        self._found: bytes | None = None
        self._etag: str | None = None

    def read(self) -> MarkDocument | None:
        """Return the document; ``None`` when there is none yet.

        Raises:
            RecordMalformed: what is there is no such document.
            AccessDenied: it may not be read: a first run is told from a missing right.
        """
        self._found, self._etag = self._bytes()
        if self._found is None:
            return None
        try:
            return MarkDocument.model_validate_json(self._found)
        except ValidationError:
            raise RecordMalformed(
                f"{self.address} is no high-water mark of an extract; restore it, or delete it to begin anew"
            ) from None

    @contextmanager
    def held(self, cancelled: threading.Event) -> Iterator[None]:
        """Keep all other runs from publishing and setting the mark until the end of the block.

        Raises:
            StoreError: another run has set the mark since it was read; this run's rows would be delivered twice.
            InterruptedError: cancelled while another run publishes.
        """
        if self._store is None:
            with locked_directory(Path(self.address).parent, cancelled):
                self._check()
                yield
            return
        with ObjectLock(self._store, self.address, cancelled) as lock:
            self._check()
            lock.demand()
            yield

    def replace(self, document: MarkDocument) -> None:
        """Set the mark, in one step.

        Raises:
            StoreError: another run has set it.
        """
        data = document.model_dump_json(indent=1).encode()
        if self._store is None:
            path = Path(self.address)
            LocalOutput(path.parent).replace(path.name, data)
            return
        try:
            self._store.put_over(self.address, data, self._etag, "application/json")
        except ObjectReplaced:
            if self._bytes()[0] != data:  # else it was written, and the answer was lost
                raise self._outrun() from None

    def _check(self) -> None:
        if self._bytes()[0] != self._found:
            raise self._outrun()

    def _outrun(self) -> StoreError:
        return StoreError(f"another run has set {self.address} meanwhile; let one run at a time, and run this again")

    def _bytes(self) -> tuple[bytes | None, str | None]:
        """Return the content, and in S3 the ETag of this version."""
        if self._store is None:
            path = Path(self.address)
            return LocalOutput(path.parent).read(path.name), None
        try:
            return self._store.get_tagged(self.address, _LIMIT)
        except NotFound:
            return None, None


def _store() -> S3Store:
    from stores.s3 import S3Store  # a local extract needs no S3 library

    return S3Store()


def mark_address(state: str | None, output: str | None) -> str:
    """Return where the mark is: where ``--state`` says, else in the output.

    Raises:
        ParameterError: the output is a staging directory, which does not outlive the run.
    """
    if state:
        return state
    if not output:
        raise ParameterError("--state: say where the mark is kept; the staging directory ends with this run")
    return output.rstrip("/") + "/" + NAME
