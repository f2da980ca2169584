"""Which failures are told, and which are only counted: the same one once in a while, all together so many an hour.

Times are ``time.monotonic()``. Not for several threads at once: whoever asks holds a lock.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

HOUR = 3600.0  # seconds
#: Kinds of failures that are remembered; beyond that the oldest are forgotten.
REMEMBERED = 2000


@dataclass(frozen=True)
class Kind:
    """What makes two failures the same."""

    pipeline: str
    component: str
    error_id: str


class Limits:
    """Decides about one failure after another."""

    def __init__(self, per_hour: int, repeat_after: float) -> None:
        self._per_hour = per_hour
        self._repeat_after = repeat_after
        self._told: dict[Kind, float] = {}
        self._untold: Counter[Kind] = Counter()
        self._hour_began = float("-inf")
        self._told_in_hour = 0
        self._capped = False

    @property
    def summary_due(self) -> float | None:
        """When the failures beyond the cap have to be told together; ``None``: there are none."""
        return self._hour_began + HOUR if self._capped else None

    def admit(self, kind: Kind, now: float) -> int | None:
        """Return how many of this kind were left out before this one, which is to be told; ``None``: left out too."""
        if now - self._hour_began >= HOUR:
            self._hour_began, self._told_in_hour = now, 0
        told = self._told.get(kind)
        if told is not None and now - told < self._repeat_after:
            self.leave_out(kind)
            return None
        if self._told_in_hour >= self._per_hour:
            self._capped = True
            self.leave_out(kind)
            return None
        self._told_in_hour += 1
        self._remember(kind, now)
        return self._untold.pop(kind, 0)

    def leave_out(self, kind: Kind, count: int = 1) -> None:
        """Count failures that are not told, to be told of later."""
        if kind not in self._untold and len(self._untold) >= REMEMBERED:
            kind = Kind("", "", kind.error_id)
        self._untold[kind] += count

    def take_untold(self) -> dict[Kind, int]:
        """Return what was left out and not told since, most first, and count from nothing again."""
        untold = dict(self._untold.most_common())
        self._untold.clear()
        self._capped = False
        return untold

    def _remember(self, kind: Kind, now: float) -> None:
        self._told.pop(kind, None)
        self._told[kind] = now
        if len(self._told) > REMEMBERED:
            del self._told[next(iter(self._told))]
