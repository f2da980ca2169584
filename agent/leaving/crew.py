"""The agents of one machine, as far as they have to know of each other.

Each holds names of abstract sockets (unix(7)): the kernel gives a name to one process at a time, frees it when the
process dies, however it dies, and lists all of them to everybody. Agents in containers with a network namespace of
their own do not see each other.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import socket
from pathlib import Path

_LIST = Path("/proc/net/unix")


class Crew:
    """``machine`` is a text that all agents of the machine have in common."""

    def __init__(self, machine: str) -> None:
        self._prefix = f"ductrunner/{hashlib.sha256(machine.encode()).hexdigest()[:16]}"
        self._number: socket.socket | None = None
        self._working: socket.socket | None = None

    def number(self) -> int:
        """Take the lowest number from 0 that no other agent has, until this process ends."""
        for number in itertools.count():
            self._number = _hold(f"{self._prefix}/number/{number}")
            if self._number:
                break
        return number

    def join(self) -> None:
        """From now on this agent may have work."""
        self._working = self._working or _hold(f"{self._prefix}/working/{os.getpid()}")

    def leave(self) -> None:
        """This agent has no work and will take none."""
        if self._working:
            self._working.close()
            self._working = None

    def working(self) -> int:
        """Return how many agents of the machine may have work."""
        return _LIST.read_text(encoding="utf-8", errors="replace").count(f"@{self._prefix}/working/")


def _hold(name: str) -> socket.socket | None:
    """Return a socket of this name; ``None`` when another has the name."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        made.bind(f"\0{name}")
    except OSError:
        made.close()
        return None
    return made
