"""Why an attempt has to end before its time, and how everything that waits inside it hears of it."""

from __future__ import annotations

import enum
import os
import threading
from collections.abc import Callable


class StopReason(enum.Enum):
    """Why an attempt is ended from outside; the value appears in logs."""

    CANCELED = "canceled"  # by the service: no status is due
    LOST = "lost"  # the task is not ours any more: no status is due
    TIMED_OUT = "timed_out"
    AGENT_STOPPED = "agent_stopped"


class StopSignal:
    """Set once, by the first who has a reason; wakes an event wait (staging) and a file descriptor wait (the child)."""

    def __init__(self, followed: StopSignal | None = None) -> None:
        self._followed = followed
        self._lock = threading.Lock()
        #: Made when somebody waits for it: of a precondition that waits nobody does.
        self._fd = -1
        self._closed = False
        #: What staging looks at.
        self.event = threading.Event()
        self.reason: StopReason | None = None
        #: A part of a sentence for the report; may be empty.
        self.why = ""
        self._listeners: list[Callable[[StopReason, str], object]] = []

    def follower(self) -> StopSignal:
        """Return a signal of its own that is set whenever this one is; it is closed by whoever asked for it."""
        made = StopSignal(self)
        self.tell(made.set)
        return made

    def tell(self, listener: Callable[[StopReason, str], object]) -> None:
        """Call this with the reason when the signal is set, or at once if it is; from whatever thread."""
        with self._lock:
            self._listeners.append(listener)
            reason, why = self.reason, self.why
        if reason is not None:
            listener(reason, why)

    def set(self, reason: StopReason, why: str = "") -> bool:
        """Stop the attempt; ``False`` when somebody else had a reason before."""
        with self._lock:
            if self.reason is not None:
                return False
            self.reason, self.why = reason, why
            if self._fd >= 0:
                os.eventfd_write(self._fd, 1)
            listeners = list(self._listeners)
        self.event.set()
        for listener in listeners:
            listener(reason, why)
        return True

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when the signal is set; -1 after ``close``."""
        with self._lock:
            if self._fd < 0 and not self._closed:
                self._fd = os.eventfd(int(self.reason is not None), os.EFD_CLOEXEC)
            return self._fd

    def close(self) -> None:
        """Give the descriptor back; the reason stays readable."""
        with self._lock:
            fd, self._fd, self._closed = self._fd, -1, True
        if fd >= 0:
            os.close(fd)
        if self._followed is not None:
            self._followed.forget(self.set)

    def forget(self, listener: Callable[[StopReason, str], object]) -> None:
        """Do not call this any more."""
        with self._lock:
            self._listeners = [known for known in self._listeners if known != listener]
