"""Is the agent alive, and does it take tasks? If not, why."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from agent.contact import Contact
from agent.gate import Gate
from agent.health.turns import Turns
from agent.health.watcher import GroupState, Watcher
from core.errors import StoreUnreachable, Throttled
from core.units import span

#: With an answer awaited all the time (polls) or every report interval, silence beyond this many seconds is a fault.
SILENCE = 150.0


class Readiness:
    """Judges from what the loops, the gate and the clients of the service say."""

    def __init__(self, watcher: Watcher, turns: Turns, gate: Gate, contact: Contact, report_interval: float) -> None:
        self._watcher = watcher
        self._turns = turns
        self._gate = gate
        self._contact = contact
        self._silence = max(SILENCE, 2.5 * report_interval)

    def stuck(self) -> dict[str, float]:
        """Return the loops that do not turn, and by how many seconds they are late."""
        return self._turns.stuck()

    def contact_age(self) -> float | None:
        """Return the seconds since the service was last reached; ``None``: never."""
        last = self._contact.last()
        return None if last is None else time.monotonic() - last

    def reached_within(self, seconds: float) -> bool:
        """Return whether the service was reached so lately.

        While the gate is closed and nothing runs, no call is due, so that silence says nothing.
        """
        if self._gate.reasons and not self._watcher.working:
            return True
        age = self.contact_age()
        return age is not None and age <= seconds

    def reasons(self) -> list[str]:
        """Return why no tasks are taken, in sentences; empty when they are."""
        found = [f"draining: {reason}"] if (reason := self._watcher.drain_reason) else []
        found += [f"held by {name}: {why}" for name, why in sorted(self._gate.reasons.items())]
        found += [f"the loop {name} is {span(late)} late" for name, late in sorted(self.stuck().items())]
        return found + self._service()

    def state(self) -> str:
        """Return ``starting``, ``idle``, ``working``, ``held``, ``unreachable``, ``stuck`` or ``draining``."""
        if self._watcher.drain_reason:
            return "draining"
        if self.stuck():
            return "stuck"
        if self._gate.reasons:
            return "held"
        if self._service():
            return "starting" if self._contact.last() is None else "unreachable"
        return "working" if self._watcher.working else "idle"

    def _service(self) -> list[str]:
        last = self._contact.last()
        failing = [self._failing(name, group, last) for name, group in self._watcher.groups.items()]
        if found := [why for why in failing if why]:
            return found
        if last is None:
            return ["the service has not been reached yet"]
        if self.reached_within(self._silence):
            return []
        return [f"the service was not reached for {span(time.monotonic() - last)}"]

    def _failing(self, name: str, group: GroupState, last: float | None) -> str | None:
        error = group.error
        if error is None or isinstance(error, Throttled):
            return None
        if isinstance(error, StoreUnreachable) and last is not None and last > group.failed_at:
            return None  # a new poll is open by now
        since = datetime.fromtimestamp(group.failing_since, UTC).strftime("%H:%M:%SZ")
        return f"no poll for {name} was answered since {since}: {error.error_id}: {error}"
