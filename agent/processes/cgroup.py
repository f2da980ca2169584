"""The control group (cgroups(7), version 2) of one attempt: counts and limits its tree, and kills it in one step.

Made by the shim, inside the group that the agent has found to be ours (``agent.processes.delegation``). A kernel that
refuses any of it takes nothing away but the figures: the tree is ended without it too.
"""

from __future__ import annotations

import os
import time

from agent.processes.tree import read

#: Where the agent and its guard are when memory is shared out: only groups without processes of their own do that.
WORKER = "worker"
#: The kernel lets go of a group a moment after its last process has gone.
REMOVE_PATIENCE = 1.0  # seconds
REMOVE_INTERVAL = 0.002  # seconds


class Cgroup:
    """One group; its directory is made at once.

    Raises:
        OSError: it could not be made.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._inside = False
        os.mkdir(directory)

    def enter(self) -> None:
        """Move this process into it.

        Raises:
            OSError: the kernel does not let it.
        """
        _move(self._directory)
        self._inside = True

    def leave(self) -> None:
        """Move this process back to where the agent is, if it is inside.

        Raises:
            OSError: the kernel does not let it.
        """
        if not self._inside:
            return
        parent = os.path.dirname(self._directory)
        worker = f"{parent}/{WORKER}"
        _move(worker if os.path.isdir(worker) else parent)
        self._inside = False

    def limit_memory(self, limit: int) -> bool:
        """Let the kernel end the whole group when it needs more bytes; ``False`` where it does not count memory."""
        if not os.path.exists(f"{self._directory}/memory.max"):
            return False
        self._write("memory.oom.group", "1")
        self._write("memory.swap.max", "0")
        return self._write("memory.max", str(limit))

    def kill(self) -> None:
        """Kill every process in it, also those of other users (Linux 5.14)."""
        kill_group(self._directory)

    def cpu_seconds(self) -> float:
        """Return the processor time of everything that has been in it; 0 when that is not known."""
        return self._figures("cpu.stat").get("usage_usec", 0) / 1_000_000

    def peak_memory(self) -> int:
        """Return the most bytes that it has used at once; 0 when that is not known (Linux 5.19)."""
        peak = read(f"{self._directory}/memory.peak").strip()
        return int(peak) if peak.isdigit() else 0

    def memory_kills(self) -> int:
        """Return how many of its processes the kernel has ended for want of memory."""
        return self._figures("memory.events").get("oom_kill", 0)

    def remove(self) -> None:
        """Remove it; one that is not empty stays."""
        remove_group(self._directory)

    def _figures(self, name: str) -> dict[str, int]:
        words = read(f"{self._directory}/{name}").decode().split()
        return {key: int(value) for key, value in zip(words[::2], words[1::2], strict=False) if value.isdigit()}

    def _write(self, name: str, value: str) -> bool:
        return write(f"{self._directory}/{name}", value)


def _move(directory: str) -> None:
    fd = os.open(f"{directory}/cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, b"0")
    finally:
        os.close(fd)


def kill_group(directory: str) -> None:
    """Kill every process of a group."""
    write(f"{directory}/cgroup.kill", "1")


def remove_group(directory: str) -> None:
    """Remove a group once the kernel lets go of it; one that is not empty stays."""
    give_up = time.monotonic() + REMOVE_PATIENCE
    while os.path.isdir(directory):
        try:
            os.rmdir(directory)
        except OSError:
            if time.monotonic() > give_up:
                return
            time.sleep(REMOVE_INTERVAL)


def write(path: str, value: str) -> bool:
    """Write a file of the kernel; ``False`` when it is not there or refuses the value."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        os.write(fd, value.encode())
    except OSError:
        return False
    finally:
        os.close(fd)
    return True
