"""Looks at the runs of a pipeline until nothing more is to come."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pipelines.service import Service
from pipelines.steps import Step, unfinished

#: Seconds between two looks; a look that takes long makes the pause longer, so that the service has time for others.
PAUSE = 0.5
_SHARE = 4
#: Fields of a pipeline that mean that nothing starts any more.
_OVER = frozenset({"FINISHED", "INACTIVE", "DELETING"})


@dataclass(frozen=True)
class Look:
    """A pipeline at one moment."""

    state: str
    steps: Sequence[Step]
    #: When the next occurrence of its schedule starts, if there is one.
    upcoming: str | None = None

    @property
    def done(self) -> bool:
        """Whether nothing more is to come."""
        if self.state in _OVER:
            return all(step.ended for step in self.steps) or self.state != "FINISHED"
        return bool(self.steps) and not unfinished(self.steps) and not self.upcoming

    def first(self, wanted: Occurrences) -> Look | None:
        """Return the same with the first occurrences alone; ``None`` while there are fewer."""
        kept: dict[str, list[Step]] = {}
        for step in sorted(self.steps, key=lambda step: step.scheduled):
            kept.setdefault(step.component, []).append(step)
        if any(len(kept.get(component, ())) < wanted.count for component in wanted.components):
            return None
        return Look(self.state, [step for steps in kept.values() for step in steps[: wanted.count]])


@dataclass(frozen=True)
class Occurrences:
    """How many occurrences to wait for, and of which components at least."""

    count: int
    components: frozenset[str]


class Watch:
    """Follows one pipeline; a step that has ended is not asked about again while others run."""

    def __init__(self, service: Service, pipeline_id: str, occurrences: Occurrences | None = None) -> None:
        self._service = service
        self._pipeline_id = pipeline_id
        self._occurrences = occurrences
        self._runs = service.runs(pipeline_id)
        self._ended: dict[str, Step] = {}

    def look(self) -> Look:
        """Ask the service."""
        state = self._service.state(self._pipeline_id)
        ids = self._runs.ids("INSTANCE")
        found = dict(self._ended)
        for step in map(Step.of, self._runs.describe(name for name in ids if name not in found)):
            found[step.id] = step
        self._ended = {step.id: step for step in found.values() if step.good}
        steps = [found[name] for name in ids if name in found]
        look = Look(state.get("@pipelineState", ""), steps, state.get("@nextRunTime"))
        if self._occurrences is None or look.done:
            return look
        return look.first(self._occurrences) or look

    def timed(self, look: Look) -> Look:
        """Return the same with steps that begin with their first attempt; the service's begin with their waiting."""
        firsts = [step.first_attempt_id for step in look.steps if step.shown and step.first_attempt_id]
        starts = {attempt.id: attempt.fields.get("@actualStartTime") for attempt in self._runs.describe(firsts)}
        return replace(look, steps=[step.begun(starts.get(step.first_attempt_id or "")) for step in look.steps])

    def until_done(self, show: Callable[[Look], None], limit: float | None = None) -> Look | None:
        """Look again and again, and show what is seen; ``None`` when ``limit`` seconds were not enough."""
        end = None if limit is None else time.monotonic() + limit
        while True:
            began = time.monotonic()
            look = self.look()
            show(look)
            if look.done:
                return look
            if end is not None and time.monotonic() > end:
                return None
            time.sleep(max(PAUSE, _SHARE * (time.monotonic() - began)))
