"""One try of one task, from the hand-over to the terminal status: acknowledge, own, work, report."""

from __future__ import annotations

import math
import time

from agent import log, report
from agent.backoff import persist
from agent.deadline import period_of
from agent.group import Group
from agent.journal.entry import Record
from agent.observer import Ended
from agent.owned import Owned, outcome, settle
from agent.preconditions import PRECONDITIONS
from agent.preconditions.precondition import Precondition
from agent.running import Held
from agent.source import Handed, Verdict
from agent.task import Task, digest, known_task, parse_task
from agent.tools import Tools
from agent.work import Work
from core.errors import DiskFull, DuctrunnerError, TaskError, TaskMalformed
from core.periods import parse_period
from core.redaction import REDACTOR
from core.sections.worker import AgentSettings

#: A task that is not acknowledged within 2 minutes is handed out again.
ACKNOWLEDGE_PATIENCE = 110.0  # seconds
#: However short a ``reportProgressTimeout`` is, reports do not follow one another faster.
SHORTEST_INTERVAL = 0.3  # seconds


class Attempt:
    """Runs in one slot's thread, from the hand-over to the status."""

    def __init__(self, handed: Handed, tools: Tools) -> None:
        self._handed = handed
        self._tools = tools
        self._settings = tools.settings
        self._group = tools.group
        self._started = time.monotonic()

    def run(self) -> None:
        """Do the task; whatever happens ends in a status, unless the task is cancelled or not ours any more."""
        kept = False
        try:
            task = self._read()
            kept = task is not None and self._carry_out(task)
        finally:
            if not kept:
                REDACTOR.forget(self._handed.task_id)

    def _read(self) -> Task | None:
        """Return the task; one that cannot be read is refused."""
        try:
            return parse_task(self._handed)
        except TaskMalformed as error:
            log.event("task_malformed", level="ERROR", task=digest(self._handed.task_id), error=str(error))
            self._refuse(error)
            return None

    def _carry_out(self, task: Task) -> bool:
        """Return whether somebody else brings it to its end."""
        held = _held(self._group, task, self._settings)
        work = Work(held, task, self._tools)
        self._tools.running.enter(held)
        kept = False
        try:
            held.entry = self._tools.journal.begin(_record(held, task, work))
            if self._acknowledge(held, task):
                kept = self._own(held, task, work)
            else:
                settle(held)
        except OSError as error:
            if held.entry is not None:
                raise
            log.event("task_not_journalled", level="ERROR", task=digest(task.task_id), error=error.strerror)
            self._refuse(DiskFull(f"the worker cannot keep its journal ({error.strerror}); check the disk of --output"))
        finally:
            if not kept:
                self._tools.running.leave(held)
                held.stop.close()
        return kept

    def _refuse(self, error: TaskError) -> None:
        """Report a task as failed that was not begun; nothing is on the disk about it."""
        held = Held(self._group, self._handed.task_id, ("", self._handed.task_id), self._settings.report_interval)
        held.stop.close()
        verdict = report.failed(error)
        taken = report.send(held, verdict, self._settings.ownership_window)
        pipeline, attempt = (str(self._handed.document.get(key) or "") for key in ("pipelineId", "attemptId"))
        task = known_task(held.task_id, pipeline, attempt, component="", kind="")
        ended_as = outcome(held, verdict, taken=taken)
        seconds = time.monotonic() - self._started
        self._tools.observers.ended(Ended(self._group.name, task, verdict, ended_as, seconds, None, "", logs=""))

    def _acknowledge(self, held: Held, task: Task) -> bool:
        fields = {"task": digest(task.task_id), "pipeline": task.pipeline_id, "attempt": task.attempt.id}
        try:
            canceled = persist(
                lambda: self._group.source.report_progress(task.task_id, {}), held.stop.event, ACKNOWLEDGE_PATIENCE
            )
        except DuctrunnerError as error:
            log.event("task_not_acknowledged", level="ERROR", **fields, error=str(error))
            return False
        held.heard()
        self._tools.observers.started(self._group.name, task)
        log.event("task_canceled" if canceled else "task_started", **fields, type=task.attempt.type)
        return not canceled

    def _own(self, held: Held, task: Task, work: Work) -> bool:
        """Do the work; ``True``: it is a precondition, which is ended by whoever waits for it."""
        if not self._tools.running.claim(held):
            settle(held)
            log.event("task_delivered_twice", level="WARNING", task=digest(task.task_id), attempt=task.attempt.id)
            return False
        self._tools.lease.watch(held)
        owned = Owned(held, task, self._tools, self._started)
        if task.attempt.type in PRECONDITIONS:
            self._tools.room.admit(Precondition(owned))
            return True
        owned.end(self._verdict(work, task), work)
        return False

    def _verdict(self, work: Work, task: Task) -> Verdict:
        try:
            return work.do(lambda: period_of(task, "attemptTimeout"))
        except Exception as error:  # one task must never take the worker along: the next worker would get it too
            log.failure("attempt_broken", error, task=digest(task.task_id))
            return report.failed(error)


def _record(held: Held, task: Task, work: Work) -> Record:
    return Record(
        task_id=task.task_id,
        pipeline_id=task.pipeline_id,
        attempt_id=task.attempt.id,
        component=task.component,
        type=task.attempt.type,
        group=held.group.name,
        logs=str(work.logs_directory),
        log_uri=work.log_uri or "",
        began=round(time.time(), 3),
    )


def _held(group: Group, task: Task, settings: AgentSettings) -> Held:
    """Return the handle of a task; its ``reportProgressTimeout`` may want reports sooner than they usually go."""
    held = Held(group, task.task_id, (task.pipeline_id, task.attempt.id), settings.report_interval)
    held.task = task
    text = task.attempt.text("reportProgressTimeout")
    try:
        timeout = parse_period(text).total_seconds() if text else math.inf
    except ValueError:
        return held  # the service has taken it for nothing, too
    held.interval = min(held.interval, max(timeout / 3, SHORTEST_INTERVAL))
    held.next_report = held.last_contact + held.interval
    held.window = max(timeout, 3 * SHORTEST_INTERVAL)
    return held
