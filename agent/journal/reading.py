"""Reading what a dead agent has left; a line that its death cut off does not count."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from agent import log
from agent.journal.entry import CONTACT_LENGTH, Record
from agent.processes.leftovers import ChildRecord
from agent.source import Verdict
from core.clock import boot_id, uptime

T = TypeVar("T")
#: Longest file that is read: an entry grows by one short line for each process that is started.
LONGEST = 4 << 20  # bytes


@dataclass
class Left:
    """One attempt that nobody has reported yet."""

    path: Path
    record: Record
    #: Seconds since the service was last heard.
    silent: float
    children: list[ChildRecord] = field(default_factory=list)
    #: How it ended; ``None``: it was interrupted.
    owed: Verdict | None = None


def read_entries(directory: Path) -> list[Left]:
    """Return the attempts of a dead agent; a file that cannot be read is logged and left alone."""
    found = []
    for path in sorted(entry for entry in directory.iterdir() if "-" in entry.name):
        try:
            left = read_entry(path)
        except (OSError, ValueError, TypeError, KeyError) as error:
            log.event("journal_unreadable", level="ERROR", path=str(path), error=f"{type(error).__name__}: {error}")
            continue
        if left is None:  # it was being begun: the task was not acknowledged
            path.unlink(missing_ok=True)
        else:
            found.append(left)
    return found


def read_entry(path: Path) -> Left | None:
    """Return one attempt; ``None`` when the agent died before it was on the disk.

    Raises:
        OSError, ValueError, TypeError, KeyError: it is not a file that an agent has written.
    """
    with path.open("rb") as file:
        content = file.read(LONGEST)
    left: Left | None = None
    for line in _lines(content[CONTACT_LENGTH:]):
        [(event, value)] = line.items()
        if event == "begun":
            left = Left(path, _known(Record, value), _silence(content[:CONTACT_LENGTH]))
        elif left is not None:
            _add(left, event, value)
    return left


def _lines(content: bytes) -> Iterator[dict[str, Any]]:
    for line in content.rstrip(b"\0").split(b"\n")[:-1]:
        yield json.loads(line)


def _add(left: Left, event: str, value: Any) -> None:
    if event == "child":
        left.children.append(_known(ChildRecord, value))
    elif event == "handle":
        left.record = replace(left.record, task_id=value)
    elif event == "owed":
        left.owed = _known(Verdict, value)


def _known(kind: type[T], value: Mapping[str, Any]) -> T:
    """Return a record of what this release knows: the dead agent may have been of another one."""
    names = {entry.name for entry in fields(kind)}  # type: ignore[arg-type]  # all of them are dataclasses
    return kind(**{name: found for name, found in value.items() if name in names})


def _silence(line: bytes) -> float:
    """Seconds since the contact that the line tells; the wall clock counts only across a boot."""
    contact = json.loads(line)
    if contact["boot"] == boot_id():
        return max(0.0, uptime() - float(contact["uptime"]))
    return max(0.0, time.time() - float(contact["wall"]))
