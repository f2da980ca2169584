"""Attempts that the service carries out itself, in threads of its own: looks at preconditions, and messages."""

from __future__ import annotations

import socket

from sandbox.datapipeline.model import Attempt, Status
from sandbox.datapipeline.state import State


def begin(state: State, attempt: Attempt) -> None:
    """Note that an attempt is under way now."""
    instance = state.instance_of(attempt)
    attempt.queued_at = attempt.look_at = None
    attempt.hostname = socket.gethostname()
    attempt.status = instance.status = Status.RUNNING
    state.touch(attempt)
    state.touch(instance)


def offer_again(attempt: Attempt, now: float) -> None:
    """Queue what the service was at when it stopped; it is begun again, since nobody knows what came of it."""
    if attempt.inside and attempt.status == Status.RUNNING and attempt.look_at is None:
        attempt.queued_at = attempt.queued_at or now
