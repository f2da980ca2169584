"""Why an attempt has to end before its time, and how everything that waits inside it hears of it."""

from __future__ import annotations

import enum
import os
import threading


class StopReason(enum.Enum):
    """Why an attempt is ended from outside; the value appears in logs."""

    CANCELED = "canceled"  # by the service: no status is due
    LOST = "lost"  # the task is not ours any more: no status is due
    TIMED_OUT = "timed_out"
    AGENT_STOPPED = "agent_stopped"


class StopSignal:
    """Set once, by the first who has a reason; wakes an event wait (staging) and a file descriptor wait (the child)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fd = os.eventfd(0, os.EFD_CLOEXEC)
        #: What staging looks at.
        self.event = threading.Event()
        self.reason: StopReason | None = None
        #: A part of a sentence for the report; may be empty.
        self.why = ""
        self._followers: list[StopSignal] = []

    def follower(self) -> StopSignal:
        """Return a signal of its own that is set whenever this one is; it is closed by whoever asked for it."""
        made = StopSignal()
        with self._lock:
            self._followers.append(made)
            reason, why = self.reason, self.why
        if reason is not None:
            made.set(reason, why)
        return made

    def set(self, reason: StopReason, why: str = "") -> bool:
        """Stop the attempt; ``False`` when somebody else had a reason before."""
        with self._lock:
            if self.reason is not None:
                return False
            self.reason, self.why = reason, why
            if self._fd >= 0:
                os.eventfd_write(self._fd, 1)
            followers = list(self._followers)
        self.event.set()
        for follower in followers:
            follower.set(reason, why)
        return True

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when the signal is set."""
        return self._fd

    def close(self) -> None:
        """Give the descriptor back; the reason stays readable."""
        with self._lock:
            fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
