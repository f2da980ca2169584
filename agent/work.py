"""The work of one attempt: plan → stage in → run → stage out → logs → verdict."""

from __future__ import annotations

import errno
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent import log, report
from agent.group import Group
from agent.hooks.around import AroundCommand, Streams
from agent.hooks.directory import Hooks
from agent.journal.journal import Journal
from agent.lease import Lease
from agent.logs.copies import local_place, log_uri, upload_logs
from agent.logs.desk import Desk
from agent.observer import Observers
from agent.plan import Plan
from agent.plans.registry import make_plan
from agent.processes.child import Child, Command
from agent.processes.conditions import Conditions, task_conditions
from agent.processes.explain import explain, usage_of
from agent.processes.guard import AGENT_VARIABLE, Guard
from agent.processes.leftovers import ChildRecord
from agent.processes.wire import TreeEnded
from agent.report import clean, fit
from agent.running import Held, Running
from agent.scripts import prepare_script
from agent.source import Verdict
from agent.stop import StopReason
from agent.task import Objects, Task, digest
from agent.usage import Usage
from agent.workspace import Workspace
from core.errors import (
    ActivityTimedOut,
    AgentStopped,
    DiskFull,
    DuctrunnerError,
    OwnershipLost,
    StagingFailed,
    TaskMalformed,
)
from core.periods import parse_period
from core.settings import AgentSettings
from steps_impl import contract

if TYPE_CHECKING:
    from stores.s3 import S3Store

#: Longest text of a step about itself, in bytes.
PROGRESS_LIMIT = 256
NO_STATUS = frozenset({StopReason.CANCELED, StopReason.LOST})


@dataclass(frozen=True)
class Tools:
    """What every attempt of this agent shares."""

    group: Group
    settings: AgentSettings
    running: Running
    lease: Lease
    journal: Journal
    #: Makes the S3 store when it is first needed, and returns the same one afterwards.
    store: Callable[[], S3Store]
    #: The environment of every child, before the attempt's own variables.
    environment: Mapping[str, str]
    guard: Guard
    observers: Observers
    hooks: Hooks
    logs: Desk


class Work:
    """What happens between the acknowledgement and the status."""

    def __init__(self, held: Held, task: Task, tools: Tools) -> None:
        self._held = held
        self._stop = held.stop
        self._task = task
        self._tools = tools
        self._settings = tools.settings
        self._workspace = Workspace(tools.settings.output.absolute(), task, tools.guard.token)
        #: Last lines of the command's stderr, redacted.
        self.last_lines = ""
        #: What its processes have used, once they have ended.
        self.usage: Usage | None = None
        #: Where the logs are: in S3 once they are there, else on this machine.
        self.logs = held.logs = local_place(self._workspace)
        held.progress = self._progress

    def do(self) -> Verdict:
        """Return how it ended; the logs are uploaded and nothing but the local logs is left on the disk."""
        try:
            with _deadline(self._task, self._held):
                self._workspace.create()
                objects = Objects(self._task, self._tools.group.source, self._stop.event)
                self._carry_out(make_plan(self._task, objects, self._workspace))
        except Exception as error:
            verdict = self._failed(error)
        else:
            verdict = Verdict(finished=True)
            self._upload_logs()
            self._report_result()
        finally:
            self._workspace.remove()
        return verdict

    @property
    def logs_directory(self) -> Path:
        """Where the logs are on this machine."""
        return self._workspace.logs

    @property
    def log_uri(self) -> str | None:
        """Where the logs go in S3."""
        return log_uri(self._settings.log_uri, self._task)

    def _carry_out(self, plan: Plan) -> None:
        settings = self._settings
        if plan.inputs:
            from agent.staging import stage_in

            totals = stage_in(self._tools.store(), plan.inputs, settings.minimum_free_disk, self._stop.event)
            self._tools.observers.staged(self._tools.group.name, "in", totals.files, totals.bytes)
            log.event("staged_in", task=digest(self._task.task_id), files=totals.files, bytes=totals.bytes)
        argv = plan.argv
        if plan.script:
            argv = (*prepare_script(plan.script, self._tools.store, self._stop.event), *argv)
        conditions = task_conditions(settings, self._task.attempt.text("runAsUser"))
        if conditions.user:
            self._workspace.give_to(conditions.user)
        directory = settings.working_directory or self._workspace.temporary
        self._run(Command(argv, self._environment(plan, conditions), directory, conditions), plan)
        if plan.outputs:
            from agent.staging import stage_out

            totals = stage_out(self._tools.store(), plan.outputs, self._stop.event)
            self._tools.observers.staged(self._tools.group.name, "out", totals.files, totals.bytes)
            log.event("staged_out", task=digest(self._task.task_id), files=totals.files, bytes=totals.bytes)

    def _run(self, command: Command, plan: Plan) -> None:
        tools = self._tools
        logs = tools.logs.attempt(self._task, self._workspace.logs, tools.group.name, self.log_uri, tools.store)
        with logs as (stdout, stderr):
            failure = self._run_between_hooks(command, Streams(stdout, stderr))
        if self._stop.reason in NO_STATUS:
            raise OwnershipLost("the attempt was ended by the service")
        self._copy_streams({stdout.path: plan.stdout, stderr.path: plan.stderr}, failed=failure is not None)
        if failure is not None:
            raise failure

    def _run_between_hooks(self, command: Command, streams: Streams) -> Exception | None:
        """Return why the command failed; ``None`` when it has not."""
        grace = self._settings.kill_grace
        facts = {
            "DUCTRUNNER_ACTIVITY_TYPE": self._task.attempt.type,
            "DUCTRUNNER_COMPONENT": self._task.component,
            "DUCTRUNNER_WORKER_GROUP": self._tools.group.name,
        }
        scratch, guard = self._workspace.private, self._tools.guard
        around = AroundCommand(self._tools.hooks, guard, facts, streams, self._stop, scratch, grace)
        command = around.before(command)
        began = time.time()
        try:
            child = Child(guard, command, streams.stdout, streams.stderr, self._note)
            ended = child.wait(self._stop, grace)
        finally:
            self.last_lines = streams.stderr.tail()
        self.usage = usage_of(ended)
        failure = self._failure(ended, command, began)
        around.after(command, ended.status, failure.error_id if isinstance(failure, DuctrunnerError) else "")
        return failure

    def _note(self, child: ChildRecord) -> None:
        if self._held.entry:
            self._held.entry.child(asdict(child))

    def _failure(self, ended: TreeEnded, command: Command, began: float) -> Exception | None:
        if self._stop.reason is None and ended.status == contract.EXIT_DONE:
            return None
        return self._explained(explain(ended, command, self._workspace.logs, began))

    def _copy_streams(self, targets: Mapping[Path, str | None], *, failed: bool) -> None:
        """Put the streams where the activity wants them; that this fails must not hide that the command has."""
        for path, target in targets.items():
            try:
                self._copy(path, target)
            except StagingFailed as error:
                if not failed:
                    raise
                log.event("output_not_copied", level="ERROR", task=digest(self._task.task_id), error=str(error))

    def _copy(self, path: Path, target: str | None) -> None:
        """Put a stream where the activity's ``stdout`` or ``stderr`` field wants it."""
        if target is None:
            return
        try:
            if "://" in target:
                self._tools.store().upload_file(path, target)
            else:
                Path(target).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
        except (DuctrunnerError, OSError) as error:
            raise StagingFailed(f"cannot write the output of the command to {target}: {error}") from error

    def _environment(self, plan: Plan, conditions: Conditions) -> dict[str, str]:
        return {
            **self._tools.environment,
            **(conditions.user.environment if conditions.user else {}),
            **plan.environment,
            AGENT_VARIABLE: self._tools.guard.token,
            contract.TASK_VARIABLE: digest(self._task.task_id),
            contract.PIPELINE_VARIABLE: self._task.pipeline_id,
            contract.ATTEMPT_VARIABLE: self._task.attempt.id,
            contract.RESULT_VARIABLE: str(self._workspace.result),
        }

    def _failed(self, error: Exception) -> Verdict:
        known = self._explained(error)
        if not isinstance(known, DuctrunnerError):
            log.failure("attempt_broken", known, task=digest(self._task.task_id))
        self._upload_logs()
        result = contract.read_result(self._workspace.result) or {}
        if self._stop.reason is None and result.get("status") == "failed" and result.get("errorMessage"):
            told = type(known)(str(result["errorMessage"]))
            return report.renamed(report.failed(told, self.last_lines, self.logs, self.usage), result.get("errorId"))
        return report.failed(known, self.last_lines, self.logs, self.usage)

    def _explained(self, error: Exception) -> Exception:
        if self._stop.reason is StopReason.TIMED_OUT:
            timeout = self._task.attempt.text("attemptTimeout")
            return ActivityTimedOut(f"{self._task.component} ran into its attemptTimeout of {timeout} and was ended")
        if self._stop.reason in NO_STATUS:
            return OwnershipLost("the attempt was ended by the service")
        if self._stop.reason is StopReason.AGENT_STOPPED:
            return AgentStopped(
                f"the worker on {socket.gethostname()} was stopped: {self._stop.why}; the service may retry the attempt"
            )
        if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
            return DiskFull(
                f"no space left below {self._settings.output.absolute()}; free some, or give --output another"
            )
        return error

    def _upload_logs(self) -> None:
        uri = self.log_uri
        if uri is not None and upload_logs(self._tools.store, uri, self._workspace.logs, digest(self._task.task_id)):
            self.logs = uri

    def _progress(self) -> dict[str, str]:
        result = contract.read_result(self._workspace.result) or {}
        progress = result.get("progress")
        fields = {"hostname": socket.gethostname()}
        return {**fields, **_progress_fields(progress)} if isinstance(progress, dict) else fields

    def _report_result(self) -> None:
        """Tell what a good attempt has done and used, which the terminal status has no place for."""
        counts = _counts(contract.read_result(self._workspace.result) or {})
        text = f"{counts} ({self.usage})".lstrip() if self.usage else counts
        try:
            self._tools.group.source.report_progress(self._held.task_id, {"attemptStatus": text})
        except DuctrunnerError as error:
            log.event("report_failed", level="WARNING", task=digest(self._held.task_id), error=str(error))


@contextmanager
def _deadline(task: Task, held: Held) -> Iterator[None]:
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


def _progress_fields(progress: Mapping[str, Any]) -> dict[str, str]:
    """Return what a step says about itself as fields of its attempt; texts of a strange kind are left out."""
    step, percent = progress.get("phase"), progress.get("percent")
    fields = {name: str(progress[name]) for name in ("rows", "bytes") if isinstance(progress.get(name), int)}
    if isinstance(step, str) and step:
        fields["step"] = fit(clean(step), PROGRESS_LIMIT)
    if isinstance(percent, int | float):
        fields["percentComplete"] = f"{percent:g}"
    text = " ".join(filter(None, (fields.get("step"), _counts(progress))))
    return fields | ({"attemptStatus": text} if text else {})


def _counts(document: Mapping[str, Any]) -> str:
    known = {name: document.get(name) for name in ("rows", "bytes")}
    return " ".join(f"{name}={value}" for name, value in known.items() if isinstance(value, int))
