"""How much memory a tree uses, where no cgroup counts it; how often the kernel had to end somebody for want of it."""

from __future__ import annotations

import os

from agent.processes.tree import descendants, read

#: A look at the tree of an attempt that has a limit follows the other after this many seconds.
SAMPLE_INTERVAL = 0.25
_PAGE = os.sysconf("SC_PAGE_SIZE")
_KILOBYTE = 1024


def used_by_tree(root: int, limit: int) -> int:
    """Return the bytes that the descendants of ``root`` use together.

    What they share counts once for each at first, which is quickly read; only a sum over ``limit`` is counted exactly.
    """
    pids = [pid for pid, _ in descendants(root)]
    total = sum(map(_resident, pids))
    return total if total <= limit else sum(map(_proportional, pids))


def machine_kills() -> int:
    """Return how many processes the kernel has ended for want of memory since the boot (proc(5), vmstat; 4.13)."""
    _, found, rest = read("/proc/vmstat").partition(b"\noom_kill ")
    return int(rest.split(None, 1)[0]) if found else 0


def _resident(pid: int) -> int:
    fields = read(f"/proc/{pid}/statm").split()
    return int(fields[1]) * _PAGE if fields else 0


def _proportional(pid: int) -> int:
    """Return the share of a process in what it uses with others; all of it where the kernel does not tell."""
    _, found, rest = read(f"/proc/{pid}/smaps_rollup").partition(b"\nPss:")
    return int(rest.split(None, 1)[0]) * _KILOBYTE if found else _resident(pid)
