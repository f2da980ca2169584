"""Lets a poll return when a child has ended."""

from __future__ import annotations

import os
import select
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_MANY = 4096


def readable(fd: int, seconds: float) -> bool:
    """Wait until a descriptor is readable, at most so many seconds; return whether it is."""
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    return bool(poller.poll(seconds * 1000))


class Wakeup:
    """One in each process; a forked process makes its own before it has children."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        for fd in (self._reading, self._writing):
            os.set_blocking(fd, False)
        signal.signal(signal.SIGCHLD, _noted)
        signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)

    def fileno(self) -> int:
        """Return the descriptor that becomes readable."""
        return self._reading

    def clear(self) -> None:
        """Forget what has come; to be called before the children are looked at."""
        try:
            while len(os.read(self._reading, _MANY)) == _MANY:
                continue
        except BlockingIOError:
            return

    def wait(self, seconds: float) -> None:
        """Sleep until a child has ended, at most so many seconds."""
        readable(self._reading, seconds)
        self.clear()

    def close(self) -> None:
        """Give the descriptors back (in a process forked from this one)."""
        signal.set_wakeup_fd(-1)
        os.close(self._reading)
        os.close(self._writing)


def _noted(number: int, frame: FrameType | None) -> None:
    """Do nothing: the pipe tells."""
