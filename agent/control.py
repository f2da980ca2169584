"""Requests to the agent's main loop, from any thread: take no more tasks, and until when the running ones may go on."""

from __future__ import annotations

import threading

from agent.drain import Mailbox


class Control:
    """What has been asked; the main loop looks when it is woken."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._lock = threading.Lock()
        self._reason: str | None = None
        self._until: float | None = None

    @property
    def reason(self) -> str | None:
        """Why the agent shall drain, as the first who asked said it."""
        return self._reason

    @property
    def until(self) -> float | None:
        """When running attempts are ended, in ``time.monotonic()``; ``None``: whenever they are done."""
        return self._until

    def drain(self, reason: str, until: float | None = None) -> None:
        """Take no more tasks; end what runs at ``until``. The earliest of several such moments counts."""
        with self._lock:
            self._reason = self._reason or reason
            if until is not None:
                self._until = until if self._until is None else min(self._until, until)
        self._mailbox.nudge()
