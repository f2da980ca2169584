"""Where preconditions wait: evaluated when they are due, ended at once when they are stopped or their time is over.

Threads: ``precondition-N`` (an evaluation each), ``preconditions`` (ends those that wait). A precondition that waits
holds no slot and no thread; while ``most`` are held, no task is taken: the next could be one more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from agent import log
from agent.gate import Gate
from agent.observer import Observer
from agent.preconditions.precondition import Precondition
from agent.source import Verdict
from agent.stop import StopReason
from agent.task import digest
from core.sections.worker import AgentSettings

#: Name of the reason why the intake is held.
REASON = "preconditions"
#: Longest sleep of a loop, in seconds: ``Condition.wait`` takes no more than about 292 years.
_LONGEST = 86_400.0


class Room:
    """Shared by all worker groups; safe to use from several threads.

    ``changed`` is called when one has ended.
    """

    def __init__(self, settings: AgentSettings, gate: Gate, observer: Observer, changed: Callable[[], None]) -> None:
        self._evaluators = settings.preconditions
        self._most = settings.maximum_preconditions
        self._gate = gate
        self._observer = observer
        self._changed = changed
        self._news = threading.Condition()
        self._waiting: list[Precondition] = []
        self._held = 0
        self._leaving = ""
        self._closed = False
        #: When the last one ended (or this was made), in ``time.monotonic()``.
        self.idle_since = time.monotonic()

    @property
    def held(self) -> int:
        """Preconditions that wait, are evaluated or reported."""
        return self._held

    def loops(self) -> list[tuple[str, Callable[[], None]]]:
        """Return the loops to start, with the names of their threads."""
        evaluators = [(f"precondition-{number}", self._evaluate) for number in range(1, self._evaluators + 1)]
        return [("preconditions", self._end_over), *evaluators]

    def admit(self, precondition: Precondition) -> None:
        """Take one that was acknowledged; it is evaluated as soon as an evaluator is free."""
        with self._news:
            self._held += 1
            self._observer.held(self._held)
            if self._held >= self._most:
                why = f"{self._held} are held, as many as agent.maximum_preconditions allows; raise it, or add a worker"
                self._gate.hold(REASON, why)
        precondition.stop.tell(lambda _reason, _why: self._wake())
        self._put(precondition)

    def leave(self, why: str) -> None:
        """End those that wait, now and from now on: the agent stops (``why`` is a part of a sentence)."""
        with self._news:
            if self._leaving:
                return
            self._leaving = why
            waiting = list(self._waiting)
        for precondition in waiting:
            precondition.stop.set(StopReason.AGENT_STOPPED, why)

    def close(self) -> None:
        """None is left and none will come: let the loops return."""
        with self._news:
            self._closed = True
            self._news.notify_all()

    def _evaluate(self) -> None:
        while (precondition := self._next(lambda entry: entry.due_at)) is not None:
            verdict = precondition.evaluate()
            if verdict is None:
                self._put(precondition)
            else:
                self._end(precondition, verdict)

    def _end_over(self) -> None:
        while (precondition := self._next(lambda entry: entry.over_at)) is not None:
            self._end(precondition, precondition.over())

    def _end(self, precondition: Precondition, verdict: Verdict) -> None:
        """Report it. What goes wrong ends this one: the others need these loops to be ended themselves."""
        try:
            precondition.end(verdict)
        except Exception as error:
            log.failure("attempt_broken", error, task=digest(precondition.owned.task.task_id))
        finally:
            self._gone()

    def _put(self, precondition: Precondition) -> None:
        with self._news:
            self._waiting.append(precondition)
            leaving = self._leaving
            self._news.notify_all()
        if leaving:
            precondition.stop.set(StopReason.AGENT_STOPPED, leaving)

    def _next(self, moment: Callable[[Precondition], float]) -> Precondition | None:
        """Wait for one whose ``moment`` has come, and take it out of those that wait; ``None``: closed."""
        with self._news:
            while not self._closed:
                now = time.monotonic()
                first = min(self._waiting, key=moment, default=None)
                if first is not None and moment(first) <= now:
                    self._waiting.remove(first)
                    return first
                self._news.wait(None if first is None else min(moment(first) - now, _LONGEST))
        return None

    def _gone(self) -> None:
        with self._news:
            self._held -= 1
            self._observer.held(self._held)
            self.idle_since = time.monotonic()
            if self._held < self._most:
                self._gate.release(REASON)
        self._changed()

    def _wake(self) -> None:
        with self._news:
            self._news.notify_all()
