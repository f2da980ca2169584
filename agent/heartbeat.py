"""Telling the service every 15 minutes that this worker is there; the answer may be that it shall stop."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from agent import log
from agent.control import Control
from agent.group import Group
from agent.observer import CALL_PATIENCE, Observer
from core.errors import DuctrunnerError


class Heartbeat:
    """Beats for every group, in a thread of its own."""

    def __init__(self, groups: Sequence[Group], interval: float, control: Control, observer: Observer) -> None:
        self._groups = groups
        self._interval = interval
        self._control = control
        self._observer = observer
        self._closed = threading.Event()

    def close(self) -> None:
        """Let ``run`` return."""
        self._closed.set()

    def run(self) -> None:
        """Beat at once and then every interval, until closed or told to stop."""
        while not self._closed.is_set():
            for group in self._groups:
                self._observer.turned(CALL_PATIENCE)
                self._beat(group)
            self._observer.turned(self._interval + CALL_PATIENCE)
            self._closed.wait(self._interval)

    def _beat(self, group: Group) -> None:
        try:
            if group.source.heartbeat():
                log.event("terminate_received", level="WARNING", group=group.name)
                self._control.drain("terminate")
        except DuctrunnerError as error:
            self._observer.reported(group.name, error)
            log.event("heartbeat_failed", level="WARNING", group=group.name, error=str(error))
        else:
            self._observer.reported(group.name, None)
