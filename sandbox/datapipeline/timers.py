"""Moments at which something must be looked at again, in a heap."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, field


@dataclass(order=True, frozen=True, slots=True)
class Timer:
    """Look at an instance or attempt at a moment. What is to be done then is read from its record."""

    due: float
    order: int
    pipeline_id: str = field(compare=False)
    object_id: str = field(compare=False)


class Timers:
    """A heap of timers. One that has become needless is not taken out: it finds nothing to do."""

    def __init__(self) -> None:
        self._heap: list[Timer] = []
        self._order = itertools.count()

    def add(self, due: float, pipeline_id: str, object_id: str) -> None:
        """Ask for a look at an object at a moment."""
        heapq.heappush(self._heap, Timer(due, next(self._order), pipeline_id, object_id))

    def next_due(self) -> float | None:
        """Return the moment of the earliest timer."""
        return self._heap[0].due if self._heap else None

    def is_due(self, moment: float) -> bool:
        """Tell whether the moment of a timer has come."""
        return bool(self._heap) and self._heap[0].due <= moment

    def pop_due(self, moment: float) -> Timer | None:
        """Take out the earliest timer if its moment has come."""
        return heapq.heappop(self._heap) if self.is_due(moment) else None
