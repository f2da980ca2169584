"""What the fields of a task say about its attempt: which try it is, how long it has waited, of what type it is."""

from __future__ import annotations

from datetime import UTC, datetime

from agent.plans.registry import PLANNERS
from agent.task import Task

#: Label of a type that this worker does not run.
OTHER = "other"


def attempt_number(task: Task) -> int:
    """Return the number of the try, from 1 (``@X_<time>_Attempt=2``)."""
    number = task.attempt.id.rpartition("_Attempt=")[2]
    return int(number) if number.isdecimal() else 1


def queue_wait(task: Task, now: float) -> float | None:
    """Return the seconds that the attempt has waited in the service's queue; ``now`` is the service's Unix time.

    ``@actualStartTime`` is when the service made the attempt ``WAITING_FOR_RUNNER`` (UTC, whole seconds): the task
    object has it although nobody has begun yet. ``@scheduledStartTime`` would count dependencies and retries as well.
    """
    text = task.attempt.text("@actualStartTime")
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    since = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, now - since.timestamp())


def type_label(task: Task) -> str:
    """Return the type of the activity, if it is one that this worker runs."""
    return task.attempt.type if task.attempt.type in PLANNERS else OTHER
