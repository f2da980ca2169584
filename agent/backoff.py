"""Waiting longer after each failure, with jitter, and never longer than somebody is willing to wait."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from core.errors import StoreUnreachable, Throttled

T = TypeVar("T")
#: Worth another try: the network or the service had a bad moment.
PASSING = (StoreUnreachable, Throttled)


class Backoff:
    """Delays in seconds: doubling from ``first`` to ``longest``, each between half and whole of that."""

    def __init__(self, first: float, longest: float) -> None:
        self._first = first
        self._longest = longest
        self._next = first

    def delay(self) -> float:
        """Return the next delay."""
        current, self._next = self._next, min(self._next * 2, self._longest)
        return current * random.uniform(0.5, 1.0)  # noqa: S311  # jitter, not cryptography

    def reset(self) -> None:
        """Start again with the shortest delay."""
        self._next = self._first


def persist(action: Callable[[], T], stopped: threading.Event, patience: float) -> T:
    """Call ``action`` until it succeeds; passing faults are tried again for ``patience`` seconds or until ``stopped``.

    Raises:
        StoreUnreachable, Throttled: the last fault, when patience ran out; any other error at once.
    """
    backoff = Backoff(first=0.5, longest=20.0)
    give_up = time.monotonic() + patience
    while True:
        try:
            return action()
        except PASSING:
            delay = backoff.delay()
            if time.monotonic() + delay > give_up or stopped.wait(delay):
                raise
