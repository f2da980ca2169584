"""Time as a port, so that tests drive it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Protocol


def uptime() -> float:
    """Return the seconds since this machine was booted, those included in which it was suspended.

    Ownership of a task is counted in these: a machine that slept for an hour has been silent for an hour, and a wall
    clock that is set has not.
    """
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@cache
def boot_id() -> str:
    """Return what distinguishes this boot of the machine from any other (random(4))."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


class Clock(Protocol):
    """What the loops ask about time."""

    def now(self) -> datetime:
        """Return the wall-clock time in UTC."""

    def monotonic(self) -> float:
        """Return seconds that never run backwards; deadlines are kept in these."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the wall-clock time in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return ``time.monotonic()``."""
        return time.monotonic()
