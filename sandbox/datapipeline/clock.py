"""The service's clock: the machine's, which may have skipped idle time, or one that a test moves.

Every window, retry delay and time-out of the service is measured on it; only the holding of a long poll is real time.
Moments are seconds since 1970.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

from core.periods import format_datetime

#: The last moment that can be written as the service writes times, in seconds since 1970.
END_OF_TIME = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()


class ServiceClock:
    """Wall-clock seconds. A manual clock stands still until it is moved; the machine's runs on from where it is moved.

    ``start`` is where a manual clock stands, and how many seconds the machine's is ahead of the real time.
    """

    def __init__(self, *, manual: bool, start: float | None = None) -> None:
        self.manual = manual
        self._moment = time.time() if start is None else start
        self.ahead = 0.0 if manual or start is None else start

    def now(self) -> float:
        """Return the moment in seconds since 1970."""
        return self._moment if self.manual else time.time() + self.ahead

    def move_to(self, moment: float) -> None:
        """Set the clock forward; it never goes back."""
        if self.manual:
            self._moment = max(self._moment, moment)
        else:
            self.ahead += max(0.0, moment - self.now())


def text_of(moment: float) -> str:
    """Return a moment as the service writes it: ``YYYY-MM-DDTHH:MM:SS``, UTC."""
    return format_datetime(datetime.fromtimestamp(moment, UTC))
