"""The end that the definition sets to an attempt: its ``attemptTimeout``."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from agent.running import Held
from agent.stop import StopReason
from agent.task import Task
from core.errors import TaskMalformed
from core.periods import parse_period


@contextmanager
def deadline(task: Task, held: Held) -> Iterator[None]:
    """Stop the attempt when its ``attemptTimeout`` has passed since its delivery."""
    text = task.attempt.text("attemptTimeout")
    if text is None:
        yield
        return
    try:
        seconds = parse_period(text).total_seconds()
    except ValueError as error:
        raise TaskMalformed(f"attemptTimeout of {task.component}: {error}") from None
    timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), held.stop.set, (StopReason.TIMED_OUT,))
    timer.name = "deadline"
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
