"""Who descends from whom, from /proc (proc(5)); a process is its number together with the moment of its start.

Imports little: the guard and the shims use it.
"""

from __future__ import annotations

import os
import signal

#: ``typing`` would cost the guard a megabyte; type checkers know this name too.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

#: Process id, and start in clock ticks after the boot; together they name one process for as long as the machine runs.
Process = tuple[int, int]
#: States that say that a process is no more.
_DEAD = (b"Z", b"X", b"x")


class Stat:
    """The part of ``/proc/<pid>/stat`` that is of use here."""

    __slots__ = ("alive", "group", "parent", "started")

    def __init__(self, line: bytes) -> None:
        fields = line.rpartition(b") ")[2].split()
        self.alive = fields[0] not in _DEAD
        self.parent = int(fields[1])
        self.group = int(fields[2])
        self.started = int(fields[19])


def read(path: str, limit: int = 1 << 20) -> bytes:
    """Return a file of /proc or /sys; empty when it is not there (any more) or not for us to read."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        parts = []
        while limit > 0 and (part := os.read(fd, min(limit, 1 << 16))):
            parts.append(part)
            limit -= len(part)
        return b"".join(parts)
    except OSError:
        return b""
    finally:
        os.close(fd)


def stat_of(pid: int) -> Stat | None:
    """Return what the kernel says of a process; ``None`` when there is none of this number."""
    line = read(f"/proc/{pid}/stat")
    return Stat(line) if line else None


def named(pid: int) -> Process | None:
    """Return the process that has this number now."""
    stat = stat_of(pid)
    return (pid, stat.started) if stat else None


def everybody() -> list[int]:
    """Return the numbers of all processes."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def descendants(*roots: int) -> list[Process]:
    """Return the processes below ``roots``, dead ones that nobody has reaped included."""
    below = _finder()
    found: dict[int, Process] = {}
    todo = [child for root in roots for child in below(root)]
    while todo:
        pid = todo.pop()
        if pid in found or (stat := stat_of(pid)) is None:
            continue
        found[pid] = (pid, stat.started)
        todo.extend(below(pid))
    return list(found.values())


def children(pid: int) -> list[int]:
    """Return the numbers of the children of a process, dead ones included."""
    return _finder()(pid)


def itself() -> set[Process]:
    """Return this process and what descends from it."""
    own = named(os.getpid())
    return {*descendants(os.getpid()), *([own] if own else [])}


def living(processes: list[Process]) -> list[Process]:
    """Return those that are not dead; who buries the dead does not matter."""
    return [process for process in processes if (stat := stat_of(process[0])) and stat.alive]


def send(process: Process, number: int) -> None:
    """Send a signal to exactly this process; nothing happens when it is gone or not ours to signal."""
    pid, started = process
    try:
        fd = os.pidfd_open(pid)
    except OSError:
        return
    try:
        stat = stat_of(pid)
        if stat is not None and stat.started == started:
            signal.pidfd_send_signal(fd, number)
    except OSError:
        return
    finally:
        os.close(fd)


def _finder() -> Callable[[int], list[int]]:
    """Return what finds children: the list of the kernel, else (no CONFIG_PROC_CHILDREN) a look at everybody."""
    if os.path.exists(f"/proc/self/task/{os.getpid()}/children"):
        return _listed
    below: dict[int, list[int]] = {}
    for pid in everybody():
        if (stat := stat_of(pid)) is not None:
            below.setdefault(stat.parent, []).append(pid)
    return lambda pid: below.get(pid, [])


def _listed(pid: int) -> list[int]:
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []
    return [int(child) for thread in threads for child in read(f"/proc/{pid}/task/{thread}/children").split()]
