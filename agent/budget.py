"""How many calls of a kind may go out: a shared allowance below the account's limits, less while it is throttled.

The rates of Data Pipeline are per account and shared with every other worker, the console and the command line
(data-pipeline limits: 2 polls, 10 reports, 10 statuses a second, 100 at once). One agent stays below them by itself;
when the service throttles all the same, others are busy too, and everybody has to slow down.
"""

from __future__ import annotations

import threading
import time

#: Calls that may go at once after a quiet time.
BURST = 100
#: While throttled the rate falls to this part of itself, down to the smallest share …
SLOWER = 0.5
SMALLEST = 1 / 16
#: … and it takes this many seconds without throttling to double again.
RECOVERY = 20.0


class Budget:
    """A token bucket of ``rate`` calls a second; safe to use from several threads."""

    def __init__(self, rate: float, burst: int = BURST) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._lock = threading.Lock()
        self._share = 1.0
        self._tokens = self._burst
        self._then = time.monotonic()

    def take(self, closed: threading.Event) -> None:
        """Wait for the turn of one call; return at once when ``closed``."""
        with self._lock:
            self._refill()
            self._tokens -= 1.0
            wait = -self._tokens / (self._rate * self._share)
        if wait > 0:
            closed.wait(wait)

    def throttled(self) -> None:
        """The service has asked for fewer calls."""
        with self._lock:
            self._refill()
            self._share = max(SMALLEST, self._share * SLOWER)
            self._tokens = min(self._tokens, 0.0)

    def _refill(self) -> None:
        now = time.monotonic()
        passed, self._then = now - self._then, now
        self._tokens = min(self._burst, self._tokens + passed * self._rate * self._share)
        self._share = min(1.0, self._share * 2 ** (passed / RECOVERY))
