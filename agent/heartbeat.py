"""Telling the service every 15 minutes that this worker is there; the answer may be that it shall stop."""

from __future__ import annotations

import threading
from collections.abc import Callable

from agent import log
from agent.source import TaskSource
from core.errors import DuctrunnerError


class Heartbeat:
    """Beats in a thread of its own."""

    def __init__(self, source: TaskSource, interval: float, terminate: Callable[[], None]) -> None:
        self._source = source
        self._interval = interval
        self._terminate = terminate
        self._closed = threading.Event()

    def close(self) -> None:
        """Let ``run`` return."""
        self._closed.set()

    def run(self) -> None:
        """Beat at once and then every interval, until closed or told to stop."""
        while not self._closed.is_set():
            try:
                if self._source.heartbeat():
                    log.event("terminate_received", level="WARNING")
                    self._terminate()
                    return
            except DuctrunnerError as error:
                log.event("heartbeat_failed", level="WARNING", error=str(error))
            self._closed.wait(self._interval)
