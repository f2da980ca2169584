"""Readings of the machine that the worker runs on."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from agent.health import memory, proc


@dataclass(frozen=True)
class Readings:
    """Of one moment; bytes where nothing else is said."""

    disk_free: int
    disk_total: int
    #: ``None``: the file system has no fixed number of inodes.
    inodes_free: int | None
    memory_available: int
    memory_total: int
    #: Load average of a minute, per processor.
    load: float
    #: Percent of all processors in use since the reading before; ``None`` at the first one.
    cpu: float | None


class Machine:
    """Reads; ``directory`` names the file system in question (it, or the nearest parent that is there)."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory.absolute()
        self._ticks: tuple[int, int] | None = None

    def read(self) -> Readings:
        """Look now."""
        disk = _disk(self._directory)
        now = memory.read()
        return Readings(
            disk_free=disk.f_bavail * disk.f_frsize,
            disk_total=disk.f_blocks * disk.f_frsize,
            inodes_free=disk.f_favail if disk.f_files else None,
            memory_available=now.available,
            memory_total=now.total,
            load=proc.load(),
            cpu=self._cpu(),
        )

    def _cpu(self) -> float | None:
        before, self._ticks = self._ticks, proc.cpu_ticks()
        if before is None or self._ticks[1] <= before[1]:
            return None
        return 100.0 * (self._ticks[0] - before[0]) / (self._ticks[1] - before[1])


def _disk(directory: Path) -> os.statvfs_result:
    for place in (directory, *directory.parents):
        try:
            return os.statvfs(place)
        except FileNotFoundError:
            continue
    return os.statvfs("/")
