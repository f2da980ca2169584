"""The local logs of attempts that have ended: found one by one, removed with what they leave empty.

Symbolic links are never followed, so that nothing outside the output directory is touched.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

#: Directories between ``output/logs`` and the files: pipeline, component, instance, attempt.
DEPTH = 4
#: A directory in which nothing has changed for so long may go when it is empty; nobody is just about to use it.
QUIET = 3600.0  # seconds


@dataclass(frozen=True)
class OldLog:
    """The logs of one attempt."""

    path: str
    #: When they were written last, in seconds since 1970.
    time: float
    #: Bytes.
    size: int


def find_logs(root: str) -> Iterator[OldLog]:
    """Return the logs of every attempt below ``output/logs``; what vanishes meanwhile is left out."""
    for path in _directories(root, DEPTH):
        with suppress(OSError):
            yield _measure(path)


def remove_log(log: OldLog, now: float) -> None:
    """Remove the logs of an attempt and the directories above that have long been quiet and are empty now.

    Raises:
        OSError: they cannot be removed.
    """
    parents = list(Path(log.path).parents)[: DEPTH - 1]
    quiet = [path for path in parents if now - path.lstat().st_mtime > QUIET]
    shutil.rmtree(log.path)
    with suppress(OSError):
        for path in quiet:
            path.rmdir()


def _directories(path: str, depth: int) -> Iterator[str]:
    if not depth:
        yield path
        return
    with suppress(OSError), os.scandir(path) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _directories(entry.path, depth - 1)


def _measure(path: str) -> OldLog:
    time, size = os.lstat(path).st_mtime, 0
    with os.scandir(path) as entries:
        for entry in entries:
            found = entry.stat(follow_symlinks=False)
            time, size = max(time, found.st_mtime), size + found.st_size
    return OldLog(path, time, size)
