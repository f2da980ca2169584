"""How the agent is asked to stop, and what that means.

===============================  ==========================================================================
first SIGTERM or SIGINT          drain: take no more tasks, let running attempts finish, exit 0
``terminate``, ``--once``,       the same
``--idle-exit``, ``--max-uptime``,
a notice of EC2
second SIGTERM or SIGINT,        end running attempts, report each FAILED ``AgentStopped``, exit 0; nothing that comes
SIGQUIT, or the drain's time     before is needed
is over
third SIGTERM or SIGINT          exit 1 at once; the guard ends what is running, the service hands it out again
SIGHUP                           nothing: a terminal that is closed does not stop the agent
===============================  ==========================================================================

SIGQUIT counts for itself: after it, ``systemctl stop`` (one SIGTERM) does not cut the reports short.

An open poll is broken off, not awaited: it may last 90 s. A task that was on its way is not acknowledged, so the
service hands it out again after 2 minutes. Signal handlers do nothing; the number arrives through a pipe that carries
nothing else, and stays there until the main loop looks: before its start, and while it closes, none is lost.
"""

from __future__ import annotations

import os
import select
import signal
from dataclasses import dataclass
from types import FrameType

STOPPING = (signal.SIGTERM, signal.SIGINT)
#: Caught, not ignored: what is ignored would be ignored by every command that the agent starts, too.
CAUGHT = (*STOPPING, signal.SIGQUIT, signal.SIGHUP)


@dataclass(frozen=True)
class Heard:
    """What has arrived: how many SIGTERM and SIGINT, whether a SIGQUIT, which of the other descriptors are readable."""

    stops: int = 0
    quit: bool = False
    ready: frozenset[int] = frozenset()


class Mailbox:
    """Wakes the main thread: by signals, and by other threads."""

    def __init__(self) -> None:
        self._signals, self._writing = os.pipe()
        self._nudges = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        os.set_blocking(self._signals, False)
        os.set_blocking(self._writing, False)

    def catch_signals(self) -> None:
        """Let signals arrive in ``wait`` (main thread only)."""
        signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        for number in CAUGHT:
            signal.signal(number, _noted)

    def nudge(self) -> None:
        """Wake ``wait`` from any thread."""
        os.eventfd_write(self._nudges, 1)

    def wait(self, timeout: float | None, *others: int) -> Heard:
        """Sleep until something arrives, or for ``timeout`` seconds; ``others`` are file descriptors to watch too."""
        poller = select.poll()
        for fd in (self._signals, self._nudges, *others):
            poller.register(fd, select.POLLIN)
        ready = {fd for fd, _ in poller.poll(None if timeout is None else max(0.0, timeout) * 1000)}
        if self._nudges in ready:
            os.eventfd_read(self._nudges)
        came = os.read(self._signals, 4096) if self._signals in ready else b""
        stops = sum(number in STOPPING for number in came)
        return Heard(stops, signal.SIGQUIT in came, frozenset(ready - {self._signals, self._nudges}))


def _noted(number: int, frame: FrameType | None) -> None:
    """Do nothing: the number is in the pipe."""
