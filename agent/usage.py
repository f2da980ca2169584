"""What the processes of an attempt have used, and how they ended."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Usage:
    """Of the command and everything that it has started."""

    #: Seconds of processor time, user and system.
    cpu_seconds: float
    #: Bytes: of the whole tree where a cgroup counts them, else of its largest process.
    peak_memory: int
    #: Exit status of the command; negative: the signal that ended it.
    status: int

    def __str__(self) -> str:
        return f"{self.cpu_seconds:.1f} s CPU, {megabytes(self.peak_memory)}"


def megabytes(size: int) -> str:
    """Return a number of bytes in words."""
    return f"{size / 1_000_000:,.0f} MB"
