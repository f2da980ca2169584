"""Who may set a mark: one run at a time, from its last look at the mark until the mark is set.

Beside a mark in a file it is a lock of the kernel's on the directory, which goes with its process. In S3 it is an
object, ``<mark>.lock``, that only one can create (``If-None-Match: *``). One that a run has left that died in these
moments is taken over (``If-Match``) when it has stood unchanged for as long as no run may hold it; nobody's clock but
one's own matters.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from core.clock import uptime
from core.errors import DuctrunnerError, NotFound, ObjectReplaced, StoreError

if TYPE_CHECKING:
    from stores.s3 import S3Store  # a local extract needs no S3 library

#: Seconds after which a lock in S3 is left over, and between two looks at one that somebody else has.
LEASE = 30.0
_LOOK = 0.2
_LIMIT = 1 << 10


@contextmanager
def locked_directory(directory: Path, cancelled: threading.Event) -> Iterator[None]:
    """Hold the lock on a directory; wait for whoever has it (``InterruptedError`` on a cancel)."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        while not _locked(handle, directory):
            _wait(cancelled)
        yield
    finally:
        os.close(handle)


class ObjectLock:
    """The lock of a mark in S3; a context manager."""

    def __init__(self, store: S3Store, mark: str, cancelled: threading.Event) -> None:
        self._store, self._uri, self._cancelled = store, f"{mark}.lock", cancelled
        self._own = secrets.token_hex(16).encode()
        self._since = 0.0

    def demand(self) -> None:
        """Make sure that nobody can take the lock over while a manifest and a mark are written.

        Raises:
            StoreError: it has been held too long.
        """
        if uptime() - self._since > LEASE / 2:
            raise StoreError(f"S3 took too long beside {self._uri}; run the step again")

    def __enter__(self) -> ObjectLock:
        over: str | None = None
        seen: tuple[str | None, float] = (None, uptime())
        while True:
            self._since = uptime()
            try:
                return self._written(over)
            except ObjectReplaced:
                content, found = self._read()
            if content == self._own:  # it was written, and the answer was lost
                return self
            if found != seen[0]:
                seen = (found, uptime())
            over = found if found and uptime() - seen[1] > LEASE else None
            if found:
                _wait(self._cancelled)

    def __exit__(self, *_: object) -> None:
        try:
            if self._read()[0] == self._own:
                self._store.delete([self._uri])
        except DuctrunnerError:
            return  # the next run takes it over

    def _written(self, over: str | None) -> ObjectLock:
        self._store.put_over(self._uri, self._own, over)
        return self

    def _read(self) -> tuple[bytes | None, str | None]:
        try:
            return self._store.get_tagged(self._uri, _LIMIT)
        except NotFound:
            return None, None


def _locked(handle: int, directory: Path) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise StoreError(f"{directory} cannot be locked ({error.strerror}); keep the mark in S3 (--state)") from None
    return True


def _wait(cancelled: threading.Event) -> None:
    if cancelled.wait(_LOOK):
        raise InterruptedError("cancelled while another run set the mark")
