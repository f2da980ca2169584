"""How long a server is asked again that cannot be reached."""

from __future__ import annotations

import threading

import tenacity

from core.errors import StoreUnreachable


def until_reached(retries: int, cancelled: threading.Event | None = None) -> tenacity.Retrying:
    """Return what calls a connecting function again while it raises ``StoreUnreachable``; then the error stands.

    Args:
        retries: further attempts, with waits that grow from 1 second to 30.
        cancelled: ends the waiting when it is set.
    """
    stop = cancelled or threading.Event()
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(StoreUnreachable),
        stop=tenacity.stop_after_attempt(retries + 1) | tenacity.stop_when_event_set(stop),
        wait=tenacity.wait_exponential_jitter(initial=1, max=30),
        sleep=tenacity.sleep_using_event(stop),
        reraise=True,
    )
