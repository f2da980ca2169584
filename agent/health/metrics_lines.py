"""The loop that writes the numbers into the agent's log, from where they become CloudWatch metrics."""

from __future__ import annotations

import threading
import time

from agent import log
from agent.health.emf import Lines
from agent.observer import Observer

#: Seconds that writing the lines may take on a busy machine.
PATIENCE = 60.0


class MetricsLines:
    """A side loop; the last lines are written when it is closed, so that nothing counted is left out."""

    name = "metrics"

    def __init__(self, lines: Lines, interval: float, observer: Observer) -> None:
        self._lines = lines
        self._interval = interval
        self._observer = observer
        self._closed = threading.Event()

    def run(self) -> None:
        """Write every interval, until closed, and then once more."""
        while not self._closed.is_set():
            self._observer.turned(self._interval + PATIENCE)
            self._closed.wait(self._interval)
            for line in self._lines.next(time.time()):
                log.event("metrics", **line)

    def close(self) -> None:
        """Let ``run`` write its last lines and return."""
        self._closed.set()
