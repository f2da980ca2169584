"""What the main loop does about everything that asks the agent to go: when it drains, when it ends attempts."""

from __future__ import annotations

import time
from dataclasses import dataclass

from agent.control import Control
from agent.leaving.mailbox import Heard

#: SIGTERM and SIGINT: the second ends the attempts, the third the agent.
HURRY, EXIT = 2, 3
#: Why an agent drains that was to do one task only.
ONCE = "once"


@dataclass(frozen=True)
class Limits:
    """When the agent stops by itself; times in seconds."""

    once: bool = False
    #: Without a task.
    idle_exit: float | None = None
    max_uptime: float | None = None


class Stopping:
    """Only the main thread asks it; moments are in ``time.monotonic()``, ``idle_since`` is ``None`` while busy."""

    def __init__(self, control: Control, limits: Limits, drain_timeout: float | None) -> None:
        self._control = control
        self._idle_exit = limits.idle_exit
        self._drain_timeout = drain_timeout
        self._stops = 0
        self._quit = False
        self._since: float | None = None
        self._retirement = None if limits.max_uptime is None else time.monotonic() + limits.max_uptime

    @property
    def draining(self) -> bool:
        """Whether no more tasks are taken."""
        return self._since is not None

    @property
    def leaves_waiting(self) -> bool:
        """Whether preconditions are not waited for: but for one task that is to be done (``--once``) they never end."""
        return self.draining and (self._control.reason != ONCE or self._stops > 0 or self._quit)

    @property
    def at_once(self) -> bool:
        """Whether the process shall exit without waiting for anything."""
        return self._stops >= EXIT

    def hear(self, heard: Heard) -> None:
        """Note the signals that have come."""
        self._stops += heard.stops
        self._quit = self._quit or heard.quit

    def begin(self, idle_since: float | None, *, broken: bool) -> str | None:
        """Begin to drain if there is a reason; return it, once."""
        reason = None if self.draining else self._reason(idle_since, broken)
        if reason:
            self._since = time.monotonic()
        return reason

    def hurry(self, *, broken: bool) -> str | None:
        """Return why running attempts have to end now, if they have to, as a part of a sentence."""
        if self._quit or self._stops >= HURRY:
            return "it was asked to stop at once"
        if broken:
            return "a part of it broke"
        end = self._end()
        if end is None or time.monotonic() < end[0]:
            return None
        return end[1]

    def patience(self, idle_since: float | None) -> float | None:
        """Return after how many seconds to look again without having been woken; ``None``: no need to."""
        now = time.monotonic()
        if self.draining:
            end = self._end()
            return end[0] - now if end is not None and now < end[0] else None
        idle_end = None if self._idle_exit is None else (idle_since or now) + self._idle_exit
        ends = [end for end in (idle_end, self._retirement) if end is not None]
        return max(0.0, min(ends) - now) if ends else None

    def _reason(self, idle_since: float | None, broken: bool) -> str | None:
        now = time.monotonic()
        if broken:
            return "broken"
        if self._stops or self._quit:
            return "signal"
        if self._control.reason:
            return self._control.reason
        if self._retirement is not None and now >= self._retirement:
            return "max_uptime"
        if self._idle_exit is not None and idle_since is not None and now - idle_since >= self._idle_exit:
            return "idle"
        return None

    def _end(self) -> tuple[float, str] | None:
        """Return when running attempts are ended, and why."""
        ends = [end] if (end := self._control.end) else []
        if self._drain_timeout is not None and self._since is not None:
            ends.append((self._since + self._drain_timeout, f"its drain took {self._drain_timeout:g} s"))
        return min(ends, default=None)
