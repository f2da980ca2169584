"""Which control group (cgroups(7), version 2) is ours to divide: one group below it for each attempt.

Ours is the group of this process when systemd has delegated it (``Delegate=yes``), when it belongs to our user, or when
it is the root that this process sees, as in a container. Another one that root could write is left alone.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from pathlib import Path

from agent.processes.cgroup import WORKER, kill_group, remove_group, write

_DELEGATED = ("trusted.delegate", "user.delegate")
#: A group without a process is that of a command which is just being started, or is as old as this, in seconds.
FORGOTTEN = 600.0
_OCTAL = re.compile(r"\\([0-7]{3})")


def find_group() -> Path | None:
    """Return the directory of the group that is ours; ``None`` when none is."""
    own = _own_group()
    if own is None:
        return None
    mount, name = own
    directory = mount / name.lstrip("/")
    if directory.name == WORKER:  # this agent's predecessor in the same process has divided it already
        directory, name = directory.parent, str(Path(name).parent)
    return directory if os.access(directory, os.W_OK) and _is_ours(directory, name) else None


def divide(directory: Path) -> None:
    """Let the groups of attempts count and limit memory, where the kernel offers it; before anything is started."""
    if "memory" not in _words(directory / "cgroup.controllers"):
        return
    if (directory / "cgroup.type").exists():  # all but the root: it may have no process of its own
        (directory / WORKER).mkdir(exist_ok=True)
        for pid in _words(directory / "cgroup.procs"):
            write(str(directory / WORKER / "cgroup.procs"), pid)
    write(str(directory / "cgroup.subtree_control"), "+memory")


def remove_forgotten(directory: Path) -> None:
    """Remove the empty groups of agents that died with all their shims and were not followed by another."""
    for group in directory.glob("ductrunner-*"):
        with suppress(OSError):  # it is in use, or has just gone
            if time.time() - group.stat().st_mtime > FORGOTTEN:
                group.rmdir()


def end_groups(token: str) -> None:
    """Kill and remove what a dead agent has left."""
    directory = find_group()
    for group in directory.glob(f"ductrunner-{token}-*") if directory else ():
        kill_group(str(group))
        remove_group(str(group))


def _own_group() -> tuple[Path, str] | None:
    """Return the mount point of the hierarchy, and our group in it as seen from there."""
    names = [line for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::")]
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        place, _, kind = line.partition(" - ")
        if names and kind.startswith("cgroup2 "):
            root, mount = (_OCTAL.sub(_unescaped, text) for text in place.split()[3:5])
            name = names[0].removeprefix("0::")
            inside = name.removeprefix(root) if root != "/" else name
            return Path(mount), inside or "/"
    return None


def _is_ours(directory: Path, name: str) -> bool:
    if name == "/" or directory.stat().st_uid == os.geteuid() != 0:
        return True
    return any(_attribute(directory, key) == b"1" for key in _DELEGATED)


def _attribute(directory: Path, key: str) -> bytes:
    try:
        return os.getxattr(directory, key)
    except OSError:
        return b""


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 8))
