"""How much memory may still be used: of the machine, and of every cgroup that this process is in (v1 and v2).

Page cache that the kernel can drop at once (``inactive_file``) counts as available, as it does in ``MemAvailable``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MEMINFO = Path("/proc/meminfo")
OWN_CGROUP = Path("/proc/self/cgroup")
MOUNT = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Memory:
    """Bytes."""

    available: int
    total: int


@dataclass(frozen=True)
class _Files:
    """Where a version of cgroups keeps its numbers."""

    limit: str
    used: str
    cache: str


_V1 = _Files("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
_V2 = _Files("memory.max", "memory.current", "inactive_file")


def read(meminfo: Path = MEMINFO, own: Path = OWN_CGROUP, mount: Path = MOUNT) -> Memory:
    """Return the tightest of the machine and its cgroups."""
    lines = dict(line.split(":", 1) for line in meminfo.read_text(encoding="ascii").splitlines())
    available, total = (1024 * int(lines[name].split()[0]) for name in ("MemAvailable", "MemTotal"))
    for limit, rest in _cgroups(own, mount):
        available, total = min(available, rest), min(total, limit)
    return Memory(max(0, available), total)


def _cgroups(own: Path, mount: Path) -> Iterator[tuple[int, int]]:
    """Yield limit and rest of each cgroup from ours up to the mounted root."""
    try:
        lines = own.read_text(encoding="utf-8").splitlines()
    except OSError:
        return  # a kernel without cgroups
    for line in lines:
        number, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            yield from _up(mount / "memory", path, _V1)
        elif number == "0" and not controllers:
            yield from _up(mount, path, _V2)


def _up(root: Path, path: str, files: _Files) -> Iterator[tuple[int, int]]:
    parts = [part for part in path.split("/") if part]
    for length in range(len(parts), -1, -1):
        # In a container the path may be that of the host, which is not mounted here: then only the root counts.
        if (found := _limited(root.joinpath(*parts[:length]), files)) is not None:
            yield found


def _limited(directory: Path, files: _Files) -> tuple[int, int] | None:
    try:
        text = (directory / files.limit).read_text(encoding="ascii").strip()
        if text == "max":
            return None
        limit = int(text)
        used = int((directory / files.used).read_text(encoding="ascii"))
        stat = dict(line.split() for line in (directory / "memory.stat").read_text(encoding="ascii").splitlines())
    except (OSError, ValueError):
        return None
    return limit, limit - used + int(stat.get(files.cache, 0))
