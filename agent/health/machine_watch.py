"""The loop that looks at the machine, and holds the intake while it is short of something."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from agent.gate import Gate
from agent.health.limits import Limit
from agent.health.machine import Machine, Readings
from agent.observer import Observer

#: Seconds between looks; one costs about 0.3 ms.
INTERVAL = 5.0
#: Seconds that a look may take on a busy machine.
PATIENCE = 60.0


class MachineWatch:
    """A side loop; ``look`` is called once before, so that the first poll knows."""

    name = "machine"

    def __init__(self, machine: Machine, limits: Sequence[Limit], gate: Gate, observer: Observer) -> None:
        self._machine = machine
        self._limits = limits
        self._gate = gate
        self._observer = observer
        self._closed = threading.Event()
        self.readings: Readings = machine.read()

    def look(self) -> None:
        """Read the machine; close the gate or open it again."""
        now = self.readings = self._machine.read()
        for limit in self._limits:
            if limit.short(now):
                self._gate.hold(limit.name, limit.sentence(now))
            elif limit.well(now):
                self._gate.release(limit.name)

    def run(self) -> None:
        """Look every few seconds until closed."""
        while not self._closed.wait(INTERVAL):
            self._observer.turned(INTERVAL + PATIENCE)
            self.look()

    def close(self) -> None:
        """Let ``run`` return."""
        self._closed.set()
