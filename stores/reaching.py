"""How long a server is asked again that cannot be reached."""

from __future__ import annotations

import threading

import tenacity

from core.errors import StoreUnreachable

#: The first wait of a session, in seconds: what waits for it may have a time limit of a few seconds (a precondition).
QUICKLY = 0.25


def until_reached(retries: int, cancelled: threading.Event | None = None, first_wait: float = 1.0) -> tenacity.Retrying:
    """Return what calls a connecting function again while it raises ``StoreUnreachable``; then the error stands.

    Args:
        retries: further attempts.
        cancelled: ends the waiting when it is set.
        first_wait: seconds before the first of them, and up to as many more; each next wait is longer, 30 at most.
    """
    stop = cancelled or threading.Event()
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(StoreUnreachable),
        stop=tenacity.stop_after_attempt(retries + 1) | tenacity.stop_when_event_set(stop),
        wait=tenacity.wait_exponential_jitter(multiplier=first_wait, max=30, jitter=first_wait),
        sleep=tenacity.sleep_using_event(stop),
        reraise=True,
    )
