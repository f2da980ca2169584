"""What Linux says of this machine and this process (proc(5)), read without loading psutil."""

from __future__ import annotations

import os
from pathlib import Path

PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
#: Fields of ``/proc/<pid>/stat``, counted from the state, which follows the name.
_UTIME, _STIME, _THREADS, _STARTED, _RESIDENT = 11, 12, 17, 19, 21


def started(pid: int) -> int | None:
    """Return when a process was started, in clock ticks since the boot; ``None``: there is none.

    With the pid it names a process for good: pids come again, this pair does not until the next boot.
    """
    try:
        return int(_stat(pid)[_STARTED])
    except OSError:
        return None


def own() -> tuple[float, int, int, int]:
    """Return this process's CPU seconds, resident bytes, threads and open files."""
    stat = _stat(os.getpid())
    cpu = (int(stat[_UTIME]) + int(stat[_STIME])) / _TICKS
    files = len(os.listdir(PROC / "self" / "fd"))  # noqa: PTH208  # ten times cheaper than Path.iterdir
    return cpu, int(stat[_RESIDENT]) * _PAGE, int(stat[_THREADS]), files


def cpu_ticks() -> tuple[int, int]:
    """Return the ticks of all processors since the boot: busy ones, and all."""
    line = (PROC / "stat").read_text(encoding="ascii").partition("\n")[0]
    user, nice, system, idle, iowait, *rest = (int(part) for part in line.split()[1:9])
    busy = user + nice + system + sum(rest)
    return busy, busy + idle + iowait


def load() -> float:
    """Return the load average of the last minute, per processor that this process may use."""
    return os.getloadavg()[0] / len(os.sched_getaffinity(0))


def _stat(pid: int) -> list[str]:
    return (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
