"""Requests to the agent's main loop, from any thread: take no more tasks, and until when the running ones may go on."""

from __future__ import annotations

import threading

from agent.leaving.mailbox import Mailbox


class Control:
    """What has been asked; the main loop looks when it is woken."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._lock = threading.Lock()
        self._reason: str | None = None
        self._ends: dict[str, tuple[float, str]] = {}

    @property
    def reason(self) -> str | None:
        """Why the agent shall drain, as the first who asked said it."""
        return self._reason

    @property
    def end(self) -> tuple[float, str] | None:
        """When running attempts are ended, in ``time.monotonic()``, and why; ``None``: whenever they are done."""
        with self._lock:
            return min(self._ends.values(), default=None)

    def drain(self, reason: str, until: float | None = None, why: str = "") -> None:
        """Take no more tasks; end what runs at ``until``, and say ``why`` (a part of a sentence) in the report.

        What was last said for each reason counts; the earliest of their moments is the end.
        """
        with self._lock:
            self._reason = self._reason or reason
            self._ends.pop(reason, None)
            if until is not None:
                self._ends[reason] = (until, why or reason)
        self._mailbox.nudge()
