"""How the agent is asked to stop, and what that means.

===============================  ==========================================================================
first SIGTERM or SIGINT          drain: take no more tasks, let running attempts finish, exit 0
``terminate``, ``--once``,       the same
``--idle-exit``
second signal, or the drain      end running attempts, report each FAILED ``AgentStopped``, exit 0
takes longer than its time-out
third signal                     exit 1 at once; the guard ends what is running, the service hands it out again
===============================  ==========================================================================

An open poll is broken off, not awaited: it may last 90 s. A task that was on its way is not acknowledged, so the
service hands it out again after 2 minutes. Signal handlers do nothing; the number arrives through a pipe.
"""

from __future__ import annotations

import os
import select
import signal
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)
#: What the pipe carries for a request that is no signal.
NUDGE = b"\0"


class Mailbox:
    """Wakes the main thread: by signals, and by other threads."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._reading, False)
        os.set_blocking(self._writing, False)

    def catch_signals(self) -> None:
        """Let SIGTERM and SIGINT arrive in ``wait`` (main thread only)."""
        signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        for number in SIGNALS:
            signal.signal(number, _noted)

    def nudge(self) -> None:
        """Wake ``wait`` from any thread."""
        try:
            os.write(self._writing, NUDGE)
        except BlockingIOError:
            return  # it is full of wake-ups already

    def wait(self, timeout: float | None, *others: int) -> tuple[int, set[int]]:
        """Sleep until something arrives.

        Returns:
            How many stop signals came, and which of the ``others`` (file descriptors) are readable.
        """
        poller = select.poll()
        for fd in (self._reading, *others):
            poller.register(fd, select.POLLIN)
        ready = {fd for fd, _ in poller.poll(None if timeout is None else max(0.0, timeout) * 1000)}
        signals = 0
        if self._reading in ready:
            signals = sum(number in SIGNALS for number in os.read(self._reading, 4096))
        return signals, ready - {self._reading}


def _noted(number: int, frame: FrameType | None) -> None:
    """Do nothing: the number is in the pipe."""
