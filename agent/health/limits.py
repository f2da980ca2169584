"""When the machine is too short of something to take a task, and when it has recovered.

It has recovered only when there is a quarter more than the minimum (or a tenth less than the maximum), so that the
intake does not flap.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agent.health.machine import Readings
from core.sections.worker import AgentSettings
from core.units import size

RECOVERED_MINIMUM = 1.25
RECOVERED_MAXIMUM = 0.9


@dataclass(frozen=True)
class Limit:
    """One thing that must not run short: ``short`` says so, ``well`` that it has recovered."""

    name: str
    short: Callable[[Readings], bool]
    well: Callable[[Readings], bool]
    sentence: Callable[[Readings], str]


def limits(settings: AgentSettings) -> tuple[Limit, ...]:
    """Return the limits of the configuration; a minimum of 0 and no maximum are none."""
    place = settings.output.absolute()
    found = [
        _minimum(
            "disk",
            lambda now: now.disk_free,
            settings.minimum_free_disk,
            lambda now: (
                f"{size(now.disk_free)} free for {place}, less than minimum_free_disk "
                f"({size(settings.minimum_free_disk)}); free some, or enlarge the disk"
            ),
        ),
        _minimum(
            "inodes",
            lambda now: now.inodes_free,
            settings.minimum_free_inodes,
            lambda now: (
                f"{now.inodes_free} inodes free for {place}, less than minimum_free_inodes "
                f"({settings.minimum_free_inodes}); remove files"
            ),
        ),
        _minimum(
            "memory",
            lambda now: now.memory_available,
            settings.minimum_free_memory,
            lambda now: (
                f"{size(now.memory_available)} of memory available, less than minimum_free_memory "
                f"({size(settings.minimum_free_memory)}); run fewer tasks at once, or take a larger machine"
            ),
        ),
    ]
    if settings.maximum_load is not None:
        found.append(_maximum_load(settings.maximum_load))
    return tuple(found)


def _minimum(
    name: str, read: Callable[[Readings], int | None], bound: int, sentence: Callable[[Readings], str]
) -> Limit:
    def below(now: Readings, level: float) -> bool:
        value = read(now)
        return value is not None and value < level

    return Limit(name, lambda now: below(now, bound), lambda now: not below(now, RECOVERED_MINIMUM * bound), sentence)


def _maximum_load(bound: float) -> Limit:
    return Limit(
        "load",
        lambda now: now.load > bound,
        lambda now: now.load <= RECOVERED_MAXIMUM * bound,
        lambda now: f"a load of {now.load:.2f} per processor, more than maximum_load ({bound:g})",
    )
