"""A share of a table's throughput, kept by all threads together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Pace:
    """Lets ``rate`` capacity units through in a second; safe to use from several threads.

    What a call costs is known when it is answered. So a call may begin when all earlier ones are paid for, and is
    charged afterwards: over any longer time the rate holds. Idle time is not saved up.
    """

    def __init__(self, rate: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._paid_until = monotonic()

    def delay(self) -> float:
        """Seconds until the next call may begin; 0 when it may now."""
        with self._lock:
            return max(0.0, self._paid_until - self._monotonic())

    def charge(self, units: float) -> None:
        """Count the capacity units that a call has used."""
        with self._lock:
            self._paid_until = max(self._paid_until, self._monotonic()) + units / self.rate

    def wait(self, sleep: Callable[[float], None]) -> None:
        """Sleep until the next call may begin; ``sleep`` may raise to end it all."""
        while (delay := self.delay()) > 0:
            sleep(delay)
