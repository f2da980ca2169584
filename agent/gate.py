"""The gate before the polls: closed while there is a reason to take no task (disk, memory, a notice)."""

from __future__ import annotations

import threading

from agent import log

#: A closed gate is looked at again after this many seconds.
LOOK = 1.0


class Gate:
    """Open unless somebody has a reason; reasons are sentences by name (``disk`` → ``12 MB free …``)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reasons: dict[str, str] = {}

    @property
    def reasons(self) -> dict[str, str]:
        """Why it is closed, by name; empty when it is open."""
        with self._lock:
            return dict(self._reasons)

    def hold(self, name: str, why: str) -> None:
        """Close it for this reason; said once for each name."""
        with self._lock:
            known = name in self._reasons
            self._reasons[name] = why
        if not known:
            log.event("intake_held", level="WARNING", reason=name, why=why)

    def release(self, name: str) -> None:
        """Take this reason away."""
        with self._lock:
            known = self._reasons.pop(name, None)
        if known is not None:
            log.event("intake_released", reason=name)

    def wait(self, stopped: threading.Event) -> None:
        """Return when it is open, or at once when ``stopped``."""
        while self.reasons and not stopped.wait(LOOK):
            continue
