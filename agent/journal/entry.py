"""The file of one attempt: an append-only list of JSON lines behind one line of fixed length.

====================  ==================================================================================
first line            when the service was last heard, rewritten in place (``boot``, ``uptime``, ``wall``)
``{"begun": …}``      who the attempt is; written before the task is acknowledged
``{"handle": id}``    the task was delivered again: it is reported under this id from now on
``{"child": …}``      a process was started for it
``{"owed": …}``       how it ended; written before the service is told
====================  ==================================================================================

The first and the last are on the disk (fsync) before the agent goes on. Room for the end is reserved at the beginning,
so that a disk which fills up meanwhile cannot take it away.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agent import log
from agent.source import Verdict
from core.clock import boot_id, uptime

#: Length of the first line with its end.
CONTACT_LENGTH = 160
#: Length of a line about a process with its end, so that another can take its place.
CHILD_LENGTH = 192
#: Reserved for the rest: a verdict has at most 4,096 bytes of message and 1,000 characters of trace, escaped.
RESERVED = 24 * 1024


@dataclass(frozen=True)
class Record:
    """Who an attempt is, as far as the next agent has to know it."""

    task_id: str
    pipeline_id: str
    attempt_id: str
    component: str
    type: str
    group: str
    #: Local directory of its logs, and their place in S3 (empty: none).
    logs: str = ""
    log_uri: str = ""
    #: When it was handed over, in seconds since 1970.
    began: float = 0.0


class Entry:
    """The writing end; belongs to one attempt, safe to use from several threads.

    A write that fails is logged: the work goes on without it. After ``settle`` nothing is written any more.
    """

    def __init__(self, path: Path, record: Record) -> None:
        """Begin.

        Raises:
            OSError: the disk does not take it; nothing is left of the file.
        """
        self._path = path
        self._lock = threading.Lock()
        self._end = CONTACT_LENGTH
        self._child_at: int | None = None
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(self._fd, 0, RESERVED)
            os.pwrite(self._fd, _contact_line(), 0)
            self._append({"begun": asdict(record)}, durable=True)
            _sync_directory(path.parent)
        except OSError:
            self.settle()
            raise

    def heard(self) -> None:
        """The service has just taken a report of the attempt."""
        self._guarded(lambda: os.pwrite(self._fd, _contact_line(), 0))

    def handle(self, task_id: str) -> None:
        """The attempt is reported under another task id from now on."""
        self._guarded(lambda: self._append({"handle": task_id}, durable=True))

    def child(self, facts: Mapping[str, Any], *, in_place: bool = False) -> None:
        """A process was started for the attempt: its id, and what tells it from a later one of that id.

        With ``in_place`` its line takes the place of the one before, whose process has ended.
        """
        self._guarded(lambda: self._put_child({"child": dict(facts)}, in_place=in_place))

    def owe(self, verdict: Verdict) -> None:
        """The attempt has ended like this, and the service is to be told."""
        self._guarded(lambda: self._append({"owed": asdict(verdict)}, durable=True))

    def settle(self) -> None:
        """Nothing is owed any more."""
        self._guarded(self._remove)

    def _remove(self) -> None:
        fd, self._fd = self._fd, -1
        os.close(fd)
        self._path.unlink()

    def _put_child(self, line: Mapping[str, Any], *, in_place: bool) -> None:
        text = json.dumps(line, ensure_ascii=False).encode("utf-8", "replace").ljust(CHILD_LENGTH - 1) + b"\n"
        if in_place and self._child_at is not None and len(text) == CHILD_LENGTH:
            os.pwrite(self._fd, text, self._child_at)
            return
        self._child_at = self._end
        self._write(text)

    def _append(self, line: Mapping[str, Any], *, durable: bool = False) -> None:
        text = json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        self._write(text)
        if durable:
            os.fdatasync(self._fd)

    def _write(self, text: bytes) -> None:
        os.pwrite(self._fd, text, self._end)
        self._end += len(text)

    def _guarded(self, write: Callable[[], object]) -> None:
        try:
            with self._lock:
                if self._fd >= 0:
                    write()
        except OSError as error:
            log.event("journal_not_written", level="ERROR", path=str(self._path), error=error.strerror)


def _contact_line() -> bytes:
    line = json.dumps({"boot": boot_id(), "uptime": round(uptime(), 3), "wall": round(time.time(), 3)})
    return line.ljust(CONTACT_LENGTH - 1).encode() + b"\n"


def _sync_directory(directory: Path) -> None:
    """Put the name of a new file on the disk too."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
