"""What agents have left below the output directory, and which of it is still somebody's."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from agent import log
from agent.journal.reading import read_entry

#: Staged and temporary files are somebody's for so many seconds at least.
YOUNG = 3600.0
#: ``tmp/<pipeline>-<token><16 digits>`` and ``staging/<pipeline>_<kind><n>_<token><16 digits>``.
_OF_AGENT = re.compile(r"[-_]([0-9a-f]{16})[0-9a-f]{16}")


def in_journals(output: Path) -> set[str]:
    """Return the log directories of all attempts that run or are not reported yet, here or in another agent."""
    found: set[str] = set()
    for directory in _entries(output / "journal"):
        for entry in _entries(Path(directory.path)):  # none, when another agent has just removed it
            with suppress(OSError, ValueError, TypeError, KeyError):  # being written, or not ours: nothing is known
                if "-" in entry.name and (left := read_entry(Path(entry.path))) and left.record.logs:
                    found.add(left.record.logs)
    return found


def remove_left(output: Path, now: float) -> None:
    """Remove staged and temporary files whose agent lives no more."""
    for directory in (output / "staging", output / "tmp"):
        for entry in _entries(directory):
            token = _OF_AGENT.search(entry.name[-33:])
            if token and entry.is_dir(follow_symlinks=False) and _is_old(entry, now) and not _lives(output, token[1]):
                shutil.rmtree(entry.path, ignore_errors=True)
                log.event("leftover_removed", path=entry.path)


def _entries(directory: Path) -> Iterator[os.DirEntry[str]]:
    with suppress(OSError), os.scandir(directory) as entries:
        yield from entries


def _is_old(entry: os.DirEntry[str], now: float) -> bool:
    with suppress(OSError):
        return now - entry.stat(follow_symlinks=False).st_mtime > YOUNG
    return False


def _lives(output: Path, token: str) -> bool:
    """Whether the agent with this token runs, or what it has left is still to be taken over: it has a journal."""
    return (output / "journal" / token).is_dir()
