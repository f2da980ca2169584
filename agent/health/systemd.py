"""Talking with systemd: ready, what is going on, stopping, and the watchdog (sd_notify(3)).

The watchdog is fed at half of ``WATCHDOG_USEC``, and only when within that half the service was really reached and
every loop turns. So systemd restarts the agent between one and one and a half times ``WatchdogSec`` after the last
contact. With the unit's ten minutes that is long after the five minutes in which the service hands the tasks of a
silent worker to another one: a restart never costs a lease that was not lost already.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime

from agent import log
from agent.health.readiness import Readiness
from agent.health.watcher import Watcher
from agent.observer import Observer

_MILLION = 1_000_000
#: Seconds between looks, before the agent is ready and afterwards.
SOON, INTERVAL = 0.1, 5.0
#: Seconds by which a stop is prolonged at each look while attempts run.
EXTENSION = 60
#: Seconds that a look may take on a busy machine.
PATIENCE = 60.0


@dataclass(frozen=True)
class Manager:
    """Where systemd listens, and how often it wants to hear that all is well (seconds; ``None``: never)."""

    socket: str
    watchdog: float | None

    def tell(self, *lines: str) -> None:
        """Send these lines; that they do not arrive is logged."""
        name = "\0" + self.socket[1:] if self.socket.startswith("@") else self.socket
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
                sock.sendto("\n".join(lines).encode(), name)
        except OSError as error:
            log.event("systemd_not_told", level="WARNING", error=str(error))


def find_manager(environment: MutableMapping[str, str]) -> Manager | None:
    """Return the manager of this service, and take its variables away: they are not for the attempts."""
    address = environment.pop("NOTIFY_SOCKET", "")
    period = environment.pop("WATCHDOG_USEC", "")
    pid = environment.pop("WATCHDOG_PID", "")
    if not address:
        return None
    ours = period.isdecimal() and pid in {"", str(os.getpid())}
    return Manager(address, int(period) / _MILLION if ours else None)


class Systemd(Observer):
    """A side loop that keeps systemd informed."""

    name = "systemd"

    def __init__(self, manager: Manager, readiness: Readiness, watcher: Watcher) -> None:
        self._manager = manager
        self._readiness = readiness
        self._watcher = watcher
        self._wake = threading.Event()
        self._closed = False
        self._ready = False
        self._stopping = False
        self._starving = False
        self._told = ""
        self._fed = time.monotonic()
        #: Seconds after which the watchdog wants food, and between looks: several fall into that time.
        self._half = manager.watchdog / 2 if manager.watchdog else None
        self._interval = min(INTERVAL, self._half / 4) if self._half else INTERVAL

    def draining(self, reason: str) -> None:  # noqa: ARG002
        """Tell it at once."""
        self._wake.set()

    def close(self) -> None:
        """Let ``run`` return."""
        self._closed = True
        self._wake.set()

    def run(self) -> None:
        """Look and tell, until closed."""
        while not self._closed:
            self._watcher.turned(INTERVAL + PATIENCE)
            self._look()
            self._wake.wait(self._interval if self._ready else SOON)
            self._wake.clear()
        self._tell_stopping()

    def _look(self) -> None:
        if not self._ready and self._readiness.contact_age() is not None:
            self._ready = True
            self._fed = time.monotonic()
            self._manager.tell("READY=1")
        if self._watcher.drain_reason:
            self._tell_stopping()
            if self._watcher.working and not self._readiness.stuck():
                self._manager.tell(f"EXTEND_TIMEOUT_USEC={EXTENSION * _MILLION}")
        if (line := self._line()) != self._told:
            self._told = line
            self._manager.tell(f"STATUS={line}")
        self._feed()

    def _tell_stopping(self) -> None:
        if not self._stopping:
            self._stopping = True
            self._manager.tell("STOPPING=1")

    def _feed(self) -> None:
        now = time.monotonic()
        if self._half is None or not self._ready or now - self._fed < self._half - self._interval:
            return
        stuck = self._readiness.stuck()
        if not stuck and self._readiness.reached_within(self._half):
            self._manager.tell("WATCHDOG=1")
            self._fed, self._starving = now, False
        elif not self._starving:
            self._starving = True
            log.event("watchdog_not_fed", level="ERROR", stuck=sorted(stuck) or None, why=self._readiness.reasons())

    def _line(self) -> str:
        groups = self._watcher.groups.values()
        busy, slots = sum(group.busy for group in groups), sum(group.slots for group in groups)
        polls = [group.last_poll for group in groups if group.last_poll is not None]
        parts = [f"{self._readiness.state()}: {busy} of {slots} slots busy"]
        if polls:
            parts.append(f"last poll answered {datetime.fromtimestamp(max(polls), UTC):%H:%M:%S}Z")
        return "; ".join((*parts, *self._readiness.reasons())).replace("\n", " ")
