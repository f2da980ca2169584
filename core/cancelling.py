"""What is to happen when work is cancelled while a driver waits for a server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Seconds between two looks of a watcher whether its work is cancelled.
_LOOK = 0.1


@contextmanager
def on_cancel(cancelled: threading.Event, action: Callable[[], None]) -> Iterator[None]:
    """Call ``action`` once, from a thread of its own, when ``cancelled`` is set before the block ends."""
    finished = threading.Event()

    def watch() -> None:
        while not finished.is_set():
            if cancelled.is_set():
                action()
                return
            finished.wait(_LOOK)  # so the end of the block is not held up

    watcher = threading.Thread(target=watch, name="on-cancel", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        finished.set()
        watcher.join()
