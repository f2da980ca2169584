"""The agent's own lines in S3: the hourly files, under their own names, below ``--logUri``.

TaskRunner copies them every hour and at its end (Developer Guide, *Task Runner configuration options*); here they
follow every ``logging.s3_interval`` seconds. Several workers may share a ``logUri``, where the jar's would overwrite
one another: a file of that name which is not the beginning of ours is somebody else's, and ours gets the worker's id
behind its name.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from agent import log
from core.errors import AccessDenied, DuctrunnerError, NotFound

if TYPE_CHECKING:
    from stores.s3 import S3Store

#: Seconds that the last copy may take, when the agent ends.
LAST_PATIENCE = 5.0
_BLOCK = 1 << 20  # bytes


class Backup:
    """A ``Side`` of the agent; ``worker`` is its name at the service."""

    name = "log-backup"

    def __init__(self, uri: str, worker: str, interval: float, store: Callable[[], S3Store]) -> None:
        self._uri = uri.removesuffix("/")
        self._worker = worker.replace("/", "_")
        self._interval = interval
        self._store = store
        self._lock = threading.Lock()
        #: Files that have grown since they were copied.
        self._grown: dict[Path, None] = {}
        self._sent: dict[Path, tuple[str, int]] = {}
        self._failing = False
        self._closed = threading.Event()
        self._given_up = threading.Event()

    def wrote(self, path: Path, _begin: int, _count: int) -> None:
        """A line was written to this file; see ``agent.log.Listener``."""
        with self._lock:
            self._grown[path] = None

    def run(self) -> None:
        """Copy what has grown at each interval, until closed."""
        while not self._closed.wait(self._interval):
            self.copy()

    def close(self) -> None:
        """Let ``run`` return."""
        self._closed.set()

    def finish(self) -> None:
        """Copy the last lines, as far as that goes within ``LAST_PATIENCE``."""
        last = threading.Thread(target=self.copy, name="log-backup-last", daemon=True)
        last.start()
        last.join(LAST_PATIENCE)
        self._given_up.set()

    def copy(self) -> None:
        """Copy what has grown; what cannot be copied is tried again the next time."""
        with self._lock:
            grown, self._grown = list(self._grown), {}
        for path in grown:
            try:
                self._copy(path)
            except (DuctrunnerError, OSError) as error:
                self._missed(path, error)
            else:
                self._failing = False

    def _copy(self, path: Path) -> None:
        uri = self._place(path)
        size = path.stat().st_size
        self._store().upload_file(path, uri, cancelled=self._given_up)
        self._sent = {path: (uri, size)}  # the file of an hour that is over does not grow again

    def _place(self, path: Path) -> str:
        """Return where the file goes: where it went before, unless somebody has written there since."""
        plain = f"{self._uri}/{path.name}"
        uri, size = self._sent.get(path, (plain, -1))
        try:
            there = self._store().size(uri)
            free = there == size or self._is_beginning(uri, there, path)
        except NotFound:
            free = True
        except AccessDenied:
            free = False  # who may not look must not overwrite what may be there
        return uri if free else f"{plain}.{self._worker}"

    def _is_beginning(self, uri: str, size: int, path: Path) -> bool:
        """Whether the object holds what the file begins with: then a worker of this machine has written it."""
        if size > path.stat().st_size:
            return False
        with self._store().open_reader(uri) as theirs, path.open("rb") as ours:
            while block := theirs.read(_BLOCK):
                if ours.read(len(block)) != block:
                    return False
        return True

    def _missed(self, path: Path, error: Exception) -> None:
        """It is tried again at the next interval; said once until it works."""
        with self._lock:
            self._grown[path] = None
        if not self._failing and not self._given_up.is_set():
            self._failing = True
            log.event("agent_log_not_copied", level="WARNING", uri=self._uri, error=str(error))
