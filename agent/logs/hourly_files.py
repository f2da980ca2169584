"""The agents' hourly files when their hour is over: packed after eight hours, removed when they are old.

TaskRunner does the same (Developer Guide, *Verifying Task Runner logging*): "any log files older than eight hours are
compressed with GZip".
"""

from __future__ import annotations

import fcntl
import gzip
import os
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from pathlib import Path

from agent import log

PACKED = ".gz"
#: Seconds after its last line.
PACK_AFTER = 8 * 3600.0
_PREFIX = "TaskRunner.log."


def pack_agent_files(root: str, now: float, noted: Callable[[], Collection[str]]) -> None:
    """Compress the files whose last line is eight hours old, but for those that are ``noted``: not all sent yet."""
    plain = [entry for entry in _hourly_files(root) if not entry.name.endswith(PACKED)]
    old = [entry.path for entry in plain if now - entry.stat(follow_symlinks=False).st_mtime >= PACK_AFTER]
    waiting = noted() if old else ()
    for path in old:
        try:
            if path not in waiting:
                _pack(Path(path))
        except OSError as error:
            log.event("agent_log_not_packed", level="WARNING", path=path, error=error.strerror)


def remove_agent_files(root: str, border: float, noted: Collection[str]) -> None:
    """Remove the files that were written before ``border`` (seconds since 1970) and are not ``noted``."""
    for entry in _hourly_files(root):
        with suppress(OSError):
            if entry.path not in noted and entry.stat(follow_symlinks=False).st_mtime < border:
                Path(entry.path).unlink()


def _pack(path: Path) -> None:
    """Put the packed file in its place, with its time, unless an agent that has fallen silent still holds it."""
    packed, fresh = path.with_name(path.name + PACKED), path.with_name(f".{path.name}{PACKED}")
    with path.open("rb") as plain:
        try:
            fcntl.flock(plain, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return
        found = os.fstat(plain.fileno())
        try:
            with gzip.open(fresh, "wb") as file:
                shutil.copyfileobj(plain, file)
            os.utime(fresh, ns=(found.st_atime_ns, found.st_mtime_ns))
            fresh.replace(packed)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise
        path.unlink()


def _hourly_files(root: str) -> Iterator[os.DirEntry[str]]:
    with suppress(OSError), os.scandir(root) as entries:
        yield from (
            entry for entry in entries if entry.name.startswith(_PREFIX) and entry.is_file(follow_symlinks=False)
        )
