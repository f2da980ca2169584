"""Notes on the disk about what is still to be sent, so that the next start sends what a dead agent has left.

::

    output/shipping/<agent>/lock         held (flock) while that agent lives
    output/shipping/<agent>/<n>.json     one log: its stream, its files, how far they are sent, when they were written
    output/shipping/<agent>/<n>.aside    the same, not held in memory at present

A note is there from the first byte of a log until its last byte is sent, and is renewed after each batch.
"""

from __future__ import annotations

import itertools
import json
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from agent.journal.journal import take_lock
from agent.logs.steady_time import SteadyTime
from agent.logs.tail import Tail, Target

#: Times of a log that its note holds.
_TIMES = 32
_NOTE = ".json"
_ASIDE = ".aside"


class Notes:
    """The notes of this agent, and those that dead agents have left below the same ``root``."""

    def __init__(self, root: Path, time: SteadyTime) -> None:
        self._root = root
        self._time = time
        self._own = root / "shipping" / secrets.token_hex(8)
        self._numbers = itertools.count()
        self._lock = _locked(self._own)
        self._begun: dict[Path, int] = {}
        #: What dead agents have left is ours: where our own lines begin matters no more.
        self._adopted_all = False

    def begun(self, path: Path, offset: int) -> None:
        """From this place on the file is ours; what is before it may be a dead agent's."""
        if offset and not self._adopted_all:
            self._begun.setdefault(path.resolve(), offset)

    def save(self, tail: Tail) -> None:
        """Write or renew the note of a log; a disk that is full is no reason to stop."""
        tail.note = tail.note or f"{next(self._numbers)}{_NOTE}"
        document = {
            "group": tail.target.group,
            "stream": tail.target.stream,
            "files": [os.path.relpath(path, self._root) for path in tail.files],
            "positions": tail.positions,
            "ends": tail.ends if tail.ended else None,
            "times": [(self._time.wall(time), ends) for time, ends in tail.rows(_TIMES)],
        }
        path = self._own / tail.note
        fresh = path.with_suffix(".new")
        try:
            fresh.write_text(json.dumps(document), encoding="utf-8")
            fresh.replace(path)
        except OSError:
            fresh.unlink(missing_ok=True)

    def forget(self, tail: Tail) -> None:
        """Everything of this log is sent."""
        if tail.note:
            (self._own / tail.note).unlink(missing_ok=True)
            tail.note = ""

    def set_aside(self, tail: Tail) -> None:
        """The log is not to be held in memory any more: its note is all that is left."""
        self.save(tail)
        name = tail.note
        with suppress(OSError):
            (self._own / name).rename((self._own / name).with_suffix(_ASIDE))

    def take_back(self) -> Iterator[Tail]:
        """The logs that were set aside."""
        for name in _names(self._own, _ASIDE):
            path = (self._own / name).with_suffix(_NOTE)
            (self._own / name).rename(path)
            if tail := self._read(path):
                yield tail

    def adopt(self) -> Iterator[Tail]:
        """The logs that dead agents have left; each is this agent's own from then on."""
        for directory in sorted(self._own.parent.glob("*")):
            if directory == self._own or (held := _taken_over(directory)) is None:
                continue
            try:
                for name in _names(directory, _NOTE, _ASIDE):
                    path = self._own / f"{next(self._numbers)}{_NOTE}"
                    (directory / name).rename(path)
                    if tail := self._read(path):
                        yield tail
                shutil.rmtree(directory, ignore_errors=True)
            finally:
                os.close(held)
        self._adopted_all = True
        self._begun.clear()

    def close(self) -> None:
        """This agent ends: what it leaves may be taken over; a directory without notes goes."""
        if self._lock is None:
            return
        if not any(_names(self._own, _NOTE, _ASIDE)):
            shutil.rmtree(self._own, ignore_errors=True)
        os.close(self._lock)
        self._lock = None

    def _read(self, path: Path) -> Tail | None:
        """Return the log of a note; ``None``, and the note is gone, when it makes no sense or its files are gone."""
        try:
            tail = self._log(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            path.unlink(missing_ok=True)
            return None
        tail.note = path.name
        return tail

    def _log(self, document: dict[str, Any]) -> Tail:
        files = [self._root / name for name in document["files"]]
        logs = (self._root / "logs").resolve()
        if not all(path.resolve().is_relative_to(logs) for path in files):
            raise ValueError("a note names a file that is no log")
        positions = [int(position) for position in document["positions"]]
        # A log that had ended may have gone on since, which is another note's.
        ends = document.get("ends") or [self._begun.get(path.resolve(), sys.maxsize) for path in files]
        ends = [min(path.stat().st_size, end) for path, end in zip(files, ends, strict=True)]
        written = max(int(path.stat().st_mtime * 1000) for path in files)
        tail = Tail(Target(document["group"], document["stream"]), files, self._time, positions)
        rows = [(self._time.moment(time), list(map(min, ends, places))) for time, places in document["times"]]
        tail.restore([*rows, (self._time.moment(written), ends)])
        return tail


def noted_files(root: Path) -> set[str]:
    """Return the files below ``root`` of which an agent, alive or dead, has still something to send."""
    found: set[str] = set()
    for directory in (root / "shipping").glob("*"):
        for name in _names(directory, _NOTE, _ASIDE):
            with suppress(OSError, ValueError, KeyError, TypeError):  # just sent, or no note of ours
                document = json.loads((directory / name).read_text(encoding="utf-8"))
                found.update(os.path.normpath(root / file) for file in document["files"])
    return found


def _names(directory: Path, *suffixes: str) -> Iterator[str]:
    with suppress(OSError), os.scandir(directory) as entries:
        yield from (entry.name for entry in entries if entry.name.endswith(suffixes))


def _locked(directory: Path) -> int | None:
    """Make a directory with a lock that this process holds; ``None`` where the disk does not let us."""
    # Locked before it has its name: another agent that starts now must not take it for that of a dead one.
    unnamed = directory.with_name(f".{directory.name}")
    try:
        unnamed.mkdir(parents=True, mode=0o700)
        lock = take_lock(unnamed)
        unnamed.rename(directory)
    except OSError:
        return None
    return lock


def _taken_over(directory: Path) -> int | None:
    """Take the lock of a dead agent's directory; ``None`` when that agent lives, or there is nothing to take."""
    try:
        return None if directory.name.startswith(".") else take_lock(directory)
    except OSError:
        return None
