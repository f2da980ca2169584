"""The journal of this agent: its directory, its lock, its entries."""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import socket
from contextlib import suppress
from pathlib import Path

from agent.journal.entry import Entry, Record
from agent.task import digest
from core.errors import SettingsError

LOCK = "lock"
ABOUT = "agent.json"


class Journal:
    """Keeps the entries of the agent with this token; ``root`` is ``output/journal``."""

    def __init__(self, root: Path, token: str, endpoint: str) -> None:
        """Make and lock the directory.

        Raises:
            SettingsError: the disk does not take it.
        """
        self._directory = root / token
        self._numbers = itertools.count()
        # Locked before it has its name: another agent that starts now must not take it for that of a dead one.
        unnamed = root / f".{token}"
        try:
            unnamed.mkdir(parents=True, mode=0o700)
            self._lock = take_lock(unnamed)
            about = {"host": socket.gethostname(), "pid": os.getpid(), "endpoint": endpoint}
            (unnamed / ABOUT).write_text(json.dumps(about), encoding="utf-8")
            unnamed.rename(self._directory)
        except OSError as error:
            raise SettingsError(f"cannot keep a journal in {root}: {error.strerror}; check --output") from None

    def begin(self, record: Record) -> Entry:
        """Put an attempt on the disk, before its task is acknowledged.

        Raises:
            OSError: the disk does not take it.
        """
        return Entry(self._directory / f"{digest(record.task_id)}-{next(self._numbers)}", record)

    def close(self) -> None:
        """The agent ends: the directory goes, unless something is still owed."""
        remove_empty(self._directory)
        if self._lock is not None:
            os.close(self._lock)


def take_lock(directory: Path) -> int | None:
    """Return the locked descriptor of an agent's directory; ``None`` while that agent lives."""
    fd = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd


def remove_empty(directory: Path) -> None:
    """Remove a directory that holds no entry any more; one that does stays as it is."""
    if {path.name for path in directory.iterdir()} <= {LOCK, ABOUT}:
        with suppress(OSError):  # somebody else has just looked into it: the next start removes it
            for name in (ABOUT, LOCK):
                (directory / name).unlink(missing_ok=True)
            directory.rmdir()
