"""Whether the service is reached: its clients tell how each call goes, health and the watchdog ask.

Reached means: the service answered a call and took us for who we are. A long poll that is open counts as well, for as
long as a poll may last and until a call fails after its connection had been accepted: then only an answer helps.
"""

from __future__ import annotations

import threading
import time
from collections import Counter

from core.errors import DuctrunnerError, OwnershipLost, RequestRefused, Throttled
from stores.json_client import CallWatcher
from stores.web import clock_ahead

#: Answers that only a reached service gives.
_REACHED = (OwnershipLost, RequestRefused, Throttled)
#: Outcome of a call that was answered; of others it is the error's id.
OK = "ok"
#: An open call counts no longer than this, in seconds (the service holds a poll for up to 90).
LONGEST = 100.0
#: ``Date`` has whole seconds: half a second is the best guess of what was cut.
HALF_SECOND = 0.5


class Contact(CallWatcher):
    """Called from every thread that calls the service; each has one call open at most."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[int, float] = {}
        self._last: float | None = None
        self._doubted = False
        self._calls: Counter[tuple[str, str]] = Counter()
        #: Seconds that this machine's clock is ahead of the service's; ``None``: not known yet.
        self.clock_ahead: float | None = None

    def sent(self) -> None:
        """The call of this thread has gone out over an open connection."""
        with self._lock:
            self._open[threading.get_ident()] = time.monotonic()

    def dated(self, date: str | None) -> None:
        """The service has written this ``Date``."""
        if (ahead := clock_ahead(date)) is not None:
            self.clock_ahead = ahead - HALF_SECOND

    def answered(self, operation: str) -> None:
        """The call of this thread was answered."""
        with self._lock:
            self._calls[operation, OK] += 1
            self._reached()

    def failed(self, operation: str, error: DuctrunnerError) -> None:
        """The call of this thread failed."""
        with self._lock:
            self._calls[operation, error.error_id] += 1
            if isinstance(error, _REACHED):
                self._reached()
            elif self._open.pop(threading.get_ident(), None) is not None:
                self._doubted = True

    def calls(self) -> dict[tuple[str, str], int]:
        """Return how many calls there were, by operation and outcome (``ok`` or an error id)."""
        with self._lock:
            return dict(self._calls)

    def last(self) -> float | None:
        """Return when the service was last reached, in ``time.monotonic()``; ``None``: never."""
        now = time.monotonic()
        with self._lock:
            if not self._doubted and any(now - since <= LONGEST for since in self._open.values()):
                return now
            return self._last

    def _reached(self) -> None:
        self._open.pop(threading.get_ident(), None)
        self._last = time.monotonic()
        self._doubted = False
