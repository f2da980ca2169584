"""The end that the definition sets to an attempt: its ``attemptTimeout``."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from agent.stop import StopReason, StopSignal
from agent.task import Task
from core.errors import TaskMalformed
from core.periods import parse_period


def period_of(task: Task, field: str) -> float | None:
    """Return the seconds of a period field of the attempt; ``None``: it has none.

    Raises:
        TaskMalformed: the field holds no period.
    """
    text = task.attempt.text(field)
    try:
        return parse_period(text).total_seconds() if text is not None else None
    except ValueError as error:
        raise TaskMalformed(f"{field} of {task.component}: {error}") from None


@contextmanager
def deadline(stop: StopSignal, seconds: float | None) -> Iterator[None]:
    """Stop the attempt when so many seconds have passed; ``None``: it has all the time it needs."""
    if seconds is None:
        yield
        return
    timer = threading.Timer(min(max(0.0, seconds), threading.TIMEOUT_MAX), stop.set, (StopReason.TIMED_OUT,))
    timer.name = "deadline"
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
