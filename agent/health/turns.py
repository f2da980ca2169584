"""Whether the loops turn: each says when it will be back, and one that is late is stuck."""

from __future__ import annotations

import threading
import time


class Turns:
    """By the names of the loops' threads."""

    def __init__(self) -> None:
        self._due: dict[str, float | None] = {}

    def mark(self, within: float | None) -> None:
        """This thread's loop is back within so many seconds; ``None``: it waits for somebody else, for however long."""
        self._due[threading.current_thread().name] = None if within is None else time.monotonic() + within

    def stuck(self) -> dict[str, float]:
        """Return the loops that are late, and by how many seconds."""
        now = time.monotonic()
        return {name: now - due for name, due in self._due.copy().items() if due is not None and due < now}
