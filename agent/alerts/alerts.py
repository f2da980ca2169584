"""The loop ``alerts``: takes failures from the attempts' threads, tells them to the topic from one of its own.

Nothing here can hold an attempt or the agent's end up. SNS being down, slow or closed to us costs a line in the log a
period; what could not be told within ``KEEP`` is counted and told in a summary.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from agent import log
from agent.alerts.limits import Limits
from agent.alerts.message import OUTCOMES, Message, failure, kind_of, summary
from agent.backoff import Backoff
from agent.observer import Ended, Observer
from core.errors import DuctrunnerError
from core.sections.telling import AlertSettings

#: Messages that wait to be sent; what comes beyond that is counted only.
QUEUE_LIMIT = 200
#: A message that could not be sent for so long is given up, in seconds.
KEEP = 3600.0
#: That the topic does not take messages is said again after this many seconds.
TELL_AGAIN = 900.0
#: At the agent's end what is queued has this long to go out, in seconds: less than the worker waits for its loops.
CLOSE_PATIENCE = 4.0

Publish = Callable[[str, str], str]


class Alerts(Observer):
    """Observer and side loop; ``publish`` takes subject and text, and raises a ``DuctrunnerError``."""

    name = "alerts"

    def __init__(self, settings: AlertSettings, publish: Publish) -> None:
        self._publish = publish
        self._changed = threading.Condition()
        self._limits = Limits(settings.per_hour, settings.repeat_after)
        self._queue: deque[tuple[float, Message]] = deque()
        self._closed = False
        self._done = False
        #: The loop has ended without the sender, and has counted what is left.
        self._abandoned = False
        self._broken: BaseException | None = None
        self._backoff = Backoff(first=2.0, longest=120.0)
        self._complained = float("-inf")

    def ended(self, ended: Ended) -> None:
        """Queue the alert about a failed attempt, or count it only."""
        if ended.outcome not in OUTCOMES:
            return
        kind, now = kind_of(ended), time.monotonic()
        with self._changed:
            left_out = self._limits.admit(kind, now)
            if left_out is None:
                self._changed.notify()  # the time of the summary may be set now
                return
            if len(self._queue) >= QUEUE_LIMIT:
                self._limits.leave_out(kind, left_out + 1)
                return
        message = failure(ended, left_out)
        with self._changed:
            self._queue.append((now, message))
            self._changed.notify()

    def run(self) -> None:
        """Send until closed, and then what is left for ``CLOSE_PATIENCE`` seconds at most.

        The sending itself is done in a daemon thread, since nothing bounds how long a name server may take.
        """
        threading.Thread(target=self._send_all, name="alerts-sender", daemon=True).start()
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._done)
            self._abandoned = not self._changed.wait_for(lambda: self._done, CLOSE_PATIENCE)
            left = len(self._queue)
        if self._broken is not None:
            raise self._broken
        if self._abandoned:
            log.event("alerts_not_sent", level="ERROR", count=left + 1)

    def close(self) -> None:
        """Let ``run`` return when what is queued has been sent."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _send_all(self) -> None:
        try:
            while (entry := self._next()) is not None:
                self._send(*entry)
        except BaseException as error:  # ``run`` raises it in the thread that the agent watches
            self._broken = error
        finally:
            with self._changed:
                self._done = True
                self._changed.notify_all()

    def _next(self) -> tuple[float, Message] | None:
        """Wait for the next message; ``None`` when there is none any more."""
        with self._changed:
            while True:
                now = time.monotonic()
                due = self._limits.summary_due
                if self._queue:
                    return self._queue.popleft()
                if (self._closed or (due is not None and now >= due)) and (untold := self._limits.take_untold()):
                    return now, summary(untold)
                if self._closed:
                    return None
                self._changed.wait(None if due is None else due - now)

    def _send(self, since: float, message: Message) -> None:
        while True:
            try:
                self._publish(message.subject, message.text)
            except DuctrunnerError as error:
                self._complain(error)
            else:
                self._backoff.reset()
                log.event("alert_sent", error_id=message.kind.error_id, pipeline=message.kind.pipeline or None)
                return
            with self._changed:
                last = self._closed
                if last or time.monotonic() - since > KEEP:
                    break
                self._changed.wait_for(lambda: self._closed, self._backoff.delay())
        self._give_up(message, last=last)

    def _give_up(self, message: Message, *, last: bool) -> None:
        """Count what could not be told; at the agent's end there is nobody left to tell it to."""
        with self._changed:
            if not last:
                self._limits.leave_out(message.kind)
            elif not self._abandoned:
                log.event("alerts_not_sent", level="ERROR", count=1)

    def _complain(self, error: DuctrunnerError) -> None:
        now = time.monotonic()
        if now - self._complained >= TELL_AGAIN:
            self._complained = now
            log.event("alert_failed", level="WARNING", error=str(error))
