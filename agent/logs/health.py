"""Whether CloudWatch takes our logs; how long to leave it alone when it does not; said once, not at every try."""

from __future__ import annotations

import threading
import time

from agent import log
from agent.backoff import Backoff
from core.errors import AccessDenied, DuctrunnerError

ADVICE = "allow logs:CreateLogGroup, logs:CreateLogStream and logs:PutLogEvents, or set logging.cloudwatch: false"
#: Seconds between two lines about lines that were refused.
REFUSAL_PAUSE = 60.0


class Health:
    """Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._short = Backoff(first=1.0, longest=30.0)
        #: A missing permission is not given in seconds: the tries are rare (as ssm-agent hibernates).
        self._long = Backoff(first=60.0, longest=900.0)
        self._since: float | None = None
        self._next_refusal = 0.0
        #: Nothing is to be sent before (``time.monotonic()``).
        self.until = 0.0

    @property
    def blocked(self) -> bool:
        """Nothing is to be sent now."""
        return time.monotonic() < self.until

    def failed(self, error: DuctrunnerError) -> None:
        """A call did not succeed; what waits is tried again later."""
        denied = isinstance(error, AccessDenied)
        with self._lock:
            now = time.monotonic()
            if now < self.until:
                return  # another call of the same moment has failed before
            first, self._since = self._since is None, self._since or now
            self.until = now + (self._long if denied else self._short).delay()
        if first:
            level, advice = ("ERROR", ADVICE) if denied else ("WARNING", None)
            log.event("logs_not_shipped", level=level, error=str(error), error_id=error.error_id, advice=advice)

    def worked(self) -> None:
        """A call succeeded."""
        with self._lock:
            since, self._since, self.until = self._since, None, 0.0
            self._short.reset()
            self._long.reset()
        if since is not None:
            log.event("logs_shipped_again", seconds=round(time.monotonic() - since, 1))

    def refused(self, stream: str, lost: int, error: DuctrunnerError) -> None:
        """Some lines will never be taken; said at most once a minute, since this line too may be among them."""
        with self._lock:
            now = time.monotonic()
            if now < self._next_refusal:
                return
            self._next_refusal = now + REFUSAL_PAUSE
        log.event("log_lines_refused", level="ERROR", stream=stream, bytes=lost, error=str(error))
