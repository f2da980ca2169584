"""The loop that sends logs to CloudWatch while they are written, and the rest when the agent ends.

Threads: ``logs`` (this loop), ``logs_N`` (up to ``HELPERS``, while several logs wait), ``logs-last`` (a timer at the
end). A log has at most one batch on its way, so that its order is kept. Nothing here slows an attempt down: what cannot
be sent waits on the disk.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from agent import log
from agent.logs.backlog import Backlog
from agent.logs.batch import Batch
from agent.logs.cloudwatch import CloudWatch
from agent.logs.health import Health
from agent.logs.notes import Notes
from agent.logs.steady_time import SteadyTime
from agent.logs.tail import STILLNESS, Tail, Target
from agent.observer import CALL_PATIENCE
from core.errors import DuctrunnerError, NotFound, RequestRefused

HELPERS = 4
#: Seconds that the end of the agent waits for what is not sent yet.
LAST_PATIENCE = 4.0
#: Seconds that its very last lines may take.
LAST_WORDS = 1.0
#: While nothing can be sent, the backlog is looked at after so many seconds.
LOOK = 10.0


class Shipper:
    """Sends every log that is opened here; a ``Side`` of the agent."""

    name = "logs"

    def __init__(
        self,
        cloudwatch: CloudWatch,
        notes: Notes,
        steady: SteadyTime,
        interval: float,
        limit: int,
        turned: Callable[[float | None], None] = lambda _: None,
    ) -> None:
        self._cloudwatch = cloudwatch
        self._notes = notes
        self._time = steady
        self._turned = turned
        self._interval = interval
        self._backlog = Backlog(notes, limit)
        self._health = Health()
        self._changed = threading.Condition()
        #: What waits, and from when on it may be sent (``time.monotonic()``).
        self._due: dict[Tail, float] = {}
        self._awake_at = 0.0
        self._last: float | None = None
        self._breaking: threading.Timer | None = None
        self._pool = ThreadPoolExecutor(HELPERS, thread_name_prefix="logs")

    def open(self, target: Target, files: Sequence[Path], positions: Sequence[int] | None = None) -> Tail:
        """Return the log that these files are; nothing is asked of CloudWatch before the first byte."""
        for path, offset in zip(files, positions or (), strict=False):
            self._notes.begun(path, offset)
        tail = Tail(target, files, self._time, positions)
        tail.notify = self._announced
        return tail

    @property
    def waiting(self) -> int:
        """Bytes of this agent that are not sent yet; safe to ask from any thread."""
        with self._changed:
            tails = list(self._due)
        return sum(tail.waiting for tail in tails) + self._backlog.aside

    def run(self) -> None:
        """Send what is due, until closed and done."""
        self._fetch()
        while not self._over():
            self.step()
        if self._breaking:
            self._breaking.cancel()
        self._backlog.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def step(self) -> None:
        """Wait until something can be sent, and send a batch of each log that is due."""
        self._turned(None)
        ready = self._wait()
        self._turned(CALL_PATIENCE)
        if ready:
            self._round(ready)
        self._look_after_backlog()

    def close(self) -> None:
        """Let ``run`` send the rest, as far as that goes within ``LAST_PATIENCE``, and return."""
        self._breaking = self._break_off_after(LAST_PATIENCE)
        with self._changed:
            self._last = time.monotonic() + LAST_PATIENCE
            self._changed.notify()

    def finish(self, last: Tail | None = None) -> None:
        """After everything else has ended: send the agent's last lines, and let go of what is held."""
        if last is not None and not self._health.blocked:
            breaking = self._break_off_after(LAST_WORDS)
            last.end()
            self._send(last)
            breaking.cancel()
        self._cloudwatch.close()
        self._notes.close()

    def _break_off_after(self, seconds: float) -> threading.Timer:
        """Let no call of CloudWatch last longer than this."""
        timer = threading.Timer(seconds, self._cloudwatch.close)
        timer.name, timer.daemon = "logs-last", True
        timer.start()
        return timer

    def _announced(self, tail: Tail) -> None:
        if not tail.note:
            self._notes.save(tail)
        self._schedule(tail, self._interval)

    def _schedule(self, tail: Tail, delay: float) -> None:
        with self._changed:
            due = time.monotonic() + delay
            self._due[tail] = min(due, self._due.get(tail, due))
            if due < self._awake_at:
                self._changed.notify()

    def _over(self) -> bool:
        with self._changed:
            return self._last is not None and (not self._due or time.monotonic() > self._last or self._health.blocked)

    def _wait(self) -> list[Tail]:
        """Sleep until something can be sent, and return that."""
        with self._changed:
            now = time.monotonic()
            begin = max(min(self._due.values(), default=float("inf")), self._health.until)
            if begin > now and self._last is None:
                self._awake_at = min(begin, now + LOOK) if self._due else begin
                self._changed.wait(None if self._awake_at == float("inf") else self._awake_at - now)
                now = self._awake_at = time.monotonic()
            if self._health.blocked:
                return []
            ready = [tail for tail, due in self._due.items() if due <= now or self._last is not None]
            for tail in ready:
                del self._due[tail]
            return ready

    def _round(self, ready: Sequence[Tail]) -> None:
        """Send one batch of each; side by side when there are several."""
        if len(ready) == 1:
            self._send(ready[0])
        else:
            list(self._pool.map(self._send, ready))

    def _look_after_backlog(self) -> None:
        with self._changed:
            waiting = list(self._due)
        gone = self._backlog.trim(waiting)
        with self._changed:
            for tail in gone:
                self._due.pop(tail, None)
        self._fetch()

    def _fetch(self) -> None:
        if self._health.blocked or self._last is not None:
            return
        for tail in self._backlog.fetch(len(self._due)):
            tail.notify = self._announced
            self._schedule(tail, 0.0)

    def _send(self, tail: Tail) -> None:
        """Send one batch of a log, and see to it that the rest follows."""
        if self._health.blocked:
            self._schedule(tail, 0.0)
            return
        batch: Batch | None = None
        try:
            if batch := tail.next_batch():
                self._put(tail, batch)
        except OSError as error:
            lost = tail.drop(tail.ends, f"the local file could not be read: {error.strerror}")
            log.event("log_not_read", level="ERROR", stream=tail.target.stream, bytes=lost, error=str(error))
        except DuctrunnerError as error:
            self._health.failed(error)
            self._schedule(tail, 0.0)
            return
        self._follow_up(tail, batch)

    def _put(self, tail: Tail, batch: Batch) -> None:
        try:
            if not tail.opened:
                self._cloudwatch.open(tail.target)
                tail.opened = True
            self._cloudwatch.put(tail.target, batch)
        except NotFound:
            tail.opened = False  # somebody has deleted the stream, or its group: it is made again
            raise
        except RequestRefused as error:
            self._health.refused(tail.target.stream, tail.drop(batch.positions, "CloudWatch refused them"), error)
        else:
            tail.sent(batch)
        self._health.worked()

    def _follow_up(self, tail: Tail, batch: Batch | None) -> None:
        if tail.ended and not batch and tail.waiting:
            tail.drop(tail.ends, "the local file is shorter than it was")
        if not tail.settled:
            still = STILLNESS / 1000
            self._schedule(tail, (0.0 if batch.full or tail.ended else self._interval) if batch else still)
        if tail.ended and tail.settled:
            self._notes.forget(tail)
        elif batch:
            self._notes.save(tail)
