"""A bounded number of threads that work off the transfers of one operation, and end together."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from stores.web import Interruption

#: Seconds between looks at the caller's cancel event, and the longest wait for threads after a cancel.
_LOOK = 0.1
_LEAVE = 0.4
#: Seconds that undoing may hold up the caller; it goes on in the background.
_UNDO = 0.4

Job = Callable[[], None]


class Crew:
    """Runs jobs on up to ``concurrency`` threads; a job may submit more jobs.

    The first failure, or the caller's ``cancelled`` event, interrupts all of them: their connections are cut, jobs that
    wait do not begin, and what was registered with ``on_failure`` is undone.
    """

    def __init__(self, concurrency: int, cancelled: threading.Event | None = None) -> None:
        self.guard = Interruption()
        self._cancelled = cancelled or threading.Event()
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="s3")
        self._changed = threading.Condition()
        self._open = 0
        self._failure: BaseException | None = None
        self._undo: dict[int, Job] = {}

    def submit(self, job: Job) -> None:
        """Let a thread run ``job``; from within a job too."""
        with self._changed:
            self._open += 1
        self._pool.submit(self._run, job)

    def on_failure(self, undo: Job) -> Callable[[], None]:
        """Call ``undo`` if the operation fails; the returned function takes that back."""
        key = id(undo)
        with self._changed:
            self._undo[key] = undo

        def settled() -> None:
            with self._changed:
                self._undo.pop(key, None)

        return settled

    def finish(self) -> None:
        """Wait for all jobs.

        Raises:
            InterruptedError: the caller's event was set.
            DuctrunnerError: the first failure of a job.
        """
        try:
            while not self._settled():
                self._check()
        except BaseException as error:
            self._fail(error)
            raise
        finally:
            self._leave()
        if self._failure is not None:
            raise self._failure

    def _settled(self) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: not self._open or self._failure is not None, timeout=_LOOK)

    def _run(self, job: Job) -> None:
        try:
            self._check()
            job()
        except BaseException as error:  # whatever it is ends the operation and is raised by finish
            self._fail(error)
        finally:
            with self._changed:
                self._open -= 1
                self._changed.notify_all()

    def _check(self) -> None:
        self.guard.check()
        if self._cancelled.is_set():
            raise InterruptedError("the transfer was cancelled")

    def _fail(self, error: BaseException) -> None:
        with self._changed:
            self._failure = self._failure or error
            self._changed.notify_all()
        self.guard.interrupt()

    def _leave(self) -> None:
        """Let the threads go; after a failure wait ``_LEAVE`` seconds at most, then undo what was begun."""
        self._pool.shutdown(wait=self._failure is None)
        if self._failure is None:
            return
        with self._changed:
            self._changed.wait_for(lambda: not self._open, timeout=_LEAVE)
            steps = list(self._undo.values())
        undoing = threading.Thread(target=_run_all, args=(steps,), name="s3-undo", daemon=True)
        undoing.start()  # dropping a multipart upload asks the server, which may be why this failed: do not wait long
        undoing.join(_UNDO)


def _run_all(steps: list[Job]) -> None:
    for step in steps:
        step()


class Countdown:
    """Tells the last of ``count`` threads that it is the last."""

    def __init__(self, count: int) -> None:
        self._count, self._lock = count, threading.Lock()

    def last(self) -> bool:
        """Count one; true for the one that makes it zero."""
        with self._lock:
            self._count -= 1
            return self._count == 0
