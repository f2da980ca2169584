"""An attempt that is ours, acknowledged and in the journal, and how it is brought to its end."""

from __future__ import annotations

import time

from agent import log, report
from agent.observer import Ended
from agent.outcome import NO_STATUS
from agent.running import Held
from agent.source import Verdict
from agent.task import Task, digest
from agent.tools import Tools
from agent.work import Work
from core.redaction import REDACTOR

#: Levels of the last line about an attempt, by what became of it.
_LEVELS = {"FINISHED": "INFO", "FALSE": "WARNING"}


class Owned:
    """Held from its acknowledgement to its status; ``started`` is its hand-over in ``time.monotonic()``."""

    def __init__(self, held: Held, task: Task, tools: Tools, started: float) -> None:
        self.held = held
        self.task = task
        self.tools = tools
        self.started = started

    def end(self, verdict: Verdict, work: Work) -> None:
        """Report how it ended, unless the service knows that already; nothing of it is left in the journal."""
        held = self.held
        try:
            taken = held.stop.reason not in NO_STATUS and self._report(verdict)
            settle(held)
        finally:
            self.tools.running.release(held)
        self._tell_end(
            Ended(
                group=self.tools.group.name,
                task=self.task,
                verdict=verdict,
                outcome=outcome(held, verdict, taken=taken),
                seconds=time.monotonic() - self.started,
                usage=work.usage,
                last_lines=work.last_lines,
                logs=work.logs,
            )
        )

    def let_go(self) -> None:
        """Nothing is left to do for it."""
        self.tools.running.leave(self.held)
        self.held.stop.close()
        REDACTOR.forget(self.task.task_id)

    def _report(self, verdict: Verdict) -> bool:
        if self.held.entry:
            self.held.entry.owe(verdict)
        return report.send(self.held, verdict, self.tools.settings.ownership_window)

    def _tell_end(self, ended: Ended) -> None:
        verdict, task, usage = ended.verdict, ended.task, ended.usage
        log.event(
            "task_ended",
            level=_LEVELS.get(verdict.status, "ERROR"),
            task=digest(task.task_id),
            pipeline=task.pipeline_id,
            attempt=task.attempt.id,
            status=ended.outcome,
            error_id=verdict.error_id or None,
            error=verdict.error_message or None,
            seconds=round(ended.seconds, 3),
            **({"cpu_seconds": round(usage.cpu_seconds, 3), "peak_memory": usage.peak_memory} if usage else {}),
        )
        self.tools.observers.ended(ended)


def settle(held: Held) -> None:
    """The journal may forget it."""
    if held.entry:
        held.entry.settle()


def outcome(held: Held, verdict: Verdict, *, taken: bool) -> str:
    """Return what became of it: see ``Ended.outcome``."""
    if held.stop.reason in NO_STATUS and not taken:
        return held.stop.reason.value
    return verdict.outcome if taken else "not_taken"
