"""Copies of a running attempt's logs to S3, at intervals: what is there when the machine is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent import log
from core.errors import DuctrunnerError

if TYPE_CHECKING:
    from stores.s3 import S3Store


class InterimCopy:
    """One running attempt whose logs are copied; ``task`` is the task's digest."""

    def __init__(self, store: Callable[[], S3Store], uri: str, files: Sequence[Path], task: str) -> None:
        self._store = store
        self._uri = uri
        self._sizes = dict.fromkeys(files, 0)
        self._task = task
        self._stopped = threading.Event()
        self._busy = threading.Lock()
        self.due = 0.0

    def copy(self) -> None:
        """Copy what has grown; that it failed is logged, and tried again at the next interval."""
        with self._busy:
            try:
                for path, known in self._sizes.items():
                    if not self._stopped.is_set() and (size := path.stat().st_size) > known:
                        self._store().upload_file(path, f"{self._uri}/{path.name}", cancelled=self._stopped)
                        self._sizes[path] = size
            except (DuctrunnerError, OSError) as error:
                if not self._stopped.is_set():
                    log.event("log_upload_failed", level="WARNING", task=self._task, uri=self._uri, error=str(error))

    def stop(self) -> None:
        """Break off a copy that is under way, so that it cannot overtake the last one."""
        self._stopped.set()
        with self._busy:
            return


class InterimCopies:
    """The loop that makes them; a ``Side`` of the agent."""

    name = "log-copies"

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._changed = threading.Condition()
        self._running: set[InterimCopy] = set()
        self._closed = False

    def begin(self, copy: InterimCopy) -> None:
        """An attempt has begun."""
        with self._changed:
            copy.due = time.monotonic() + self._interval
            self._running.add(copy)
            if len(self._running) == 1:
                self._changed.notify()

    def end(self, copy: InterimCopy) -> None:
        """An attempt is over: nothing of it is under way any more when this returns."""
        with self._changed:
            self._running.discard(copy)
        copy.stop()

    def run(self) -> None:
        """Copy what is due, until closed."""
        while copy := self._next():
            copy.copy()

    def close(self) -> None:
        """Let ``run`` return."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _next(self) -> InterimCopy | None:
        """Wait for the next one that is due; ``None``: closed."""
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                copy = min(self._running, key=lambda copy: copy.due, default=None)
                if copy is not None and copy.due <= now:
                    copy.due = now + self._interval
                    return copy
                self._changed.wait(None if copy is None else copy.due - now)
        return None
