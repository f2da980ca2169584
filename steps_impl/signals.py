"""SIGTERM and SIGINT set an event, even while the main thread is inside a driver's C code.

Python runs signal handlers only between two of the main thread's byte codes; a blocked driver would delay them.
The interpreter writes to the wake-up descriptor at once, so a small thread that reads it sees the signal in time.
The signal mask stays as it is: a child process must not inherit a blocked SIGTERM.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def cancel_on_signal(cancelled: threading.Event) -> Iterator[None]:
    """Set ``cancelled`` when SIGTERM or SIGINT arrives; the former handlers are back afterwards (main thread only)."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    former_fd = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    former = {number: signal.signal(number, lambda *_: None) for number in _SIGNALS}
    watcher = threading.Thread(target=_watch, args=(reader, cancelled), name="signals", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(former_fd)
        os.close(writer)
        watcher.join()
        os.close(reader)


def _watch(reader: int, cancelled: threading.Event) -> None:
    while numbers := os.read(reader, 64):
        if any(number in numbers for number in _SIGNALS):
            cancelled.set()
