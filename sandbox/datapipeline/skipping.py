"""Idle time is skipped: the clock goes to the moment at which there is something to do again.

A pipeline at a desk waits for retry delays and for the next occurrence of its schedule, hours or days with nothing to
see. Nothing is skipped while a worker holds a task (its windows would close), or while a precondition waits for
something that a person may still bring.
"""

from __future__ import annotations

from sandbox.datapipeline.clock import END_OF_TIME
from sandbox.datapipeline.model import Attempt, Status
from sandbox.datapipeline.service import Service


def skip_idle_time(service: Service, pipeline_id: str) -> float:
    """Set the clock to the next moment that matters if a pipeline waits for nothing but time; return the seconds.

    Called inside ``service.call()``.

    Raises:
        PipelineNotFound, PipelineDeleted: there is no such pipeline.
    """
    pipeline = service.state.pipeline(pipeline_id)
    due, now = service.timers.next_due(), service.clock.now()
    if not pipeline.active or due is None or due <= now or due > END_OF_TIME or _busy(service, pipeline_id):
        return 0.0
    service.skip_to(due)
    return due - now


def _busy(service: Service, pipeline_id: str) -> bool:
    """Tell whether the pipeline has an attempt in work, or a worker holds one of another pipeline."""
    state = service.state
    attempts = (
        state.head(instance)
        for entry in state.pipelines
        for instance in state.index.active(entry)
        if instance.status in Status.WITH_RUNNER
    )
    return any(attempt and (attempt.pipeline_id == pipeline_id or _held(attempt)) for attempt in attempts)


def _held(attempt: Attempt) -> bool:
    return attempt.queued_at is None and attempt.delivered is not None
