"""The work of one attempt: plan → stage in → run → stage out → logs → verdict."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from pathlib import Path

from agent import log, report
from agent.credentials import lent_keys, own_access
from agent.deadline import deadline
from agent.evaluated_scripts import wants_evaluation, with_evaluated_script
from agent.hooks.around import AroundCommand, Streams
from agent.logs.copies import Copied, copy_streams, local_place, log_uri, upload_logs
from agent.logs.output import OutputFile
from agent.outcome import NO_STATUS, Outcome
from agent.plan import Look, Plan
from agent.plans.registry import make_plan
from agent.processes.child import Child, Command
from agent.processes.conditions import Conditions, task_conditions
from agent.processes.explain import explain, usage_of
from agent.processes.guard import AGENT_VARIABLE
from agent.processes.leftovers import ChildRecord
from agent.processes.wire import TreeEnded
from agent.progress import end_fields, progress_fields
from agent.proxy import proxy_of
from agent.running import Held
from agent.scripts import prepare_script
from agent.source import Verdict
from agent.stop import StopSignal
from agent.store import store_maker
from agent.task import Objects, Task, digest
from agent.tools import Tools
from agent.usage import Usage
from agent.workspace import Workspace
from core.errors import CommandFailed, DuctrunnerError, OwnershipLost, PreconditionFalse
from steps_impl import contract


class Work:
    """What happens between the acknowledgement and the status."""

    def __init__(
        self,
        held: Held,
        task: Task,
        tools: Tools,
        stop: StopSignal | None = None,
        objects: Objects | None = None,
    ) -> None:
        """Prepare it; ``stop`` ends it in place of the attempt's own signal, ``objects`` are known from before."""
        self._held = held
        self._stop = stop or held.stop
        self._task = task
        self._tools = tools
        self._objects = objects or Objects(task, tools.group.source, self._stop.event)
        self._settings = tools.settings
        #: S3 on the way that the task goes.
        self._store = tools.store
        self._workspace = Workspace(tools.settings.output.absolute(), task, tools.guard.token)
        #: Last lines of the command's stderr, redacted.
        self.last_lines = ""
        #: What its processes have used, once they have ended.
        self.usage: Usage | None = None
        #: Where the logs are: in S3 once they are there, else on this machine.
        self.logs = held.logs = local_place(self._workspace)
        self._outcome = Outcome(task, self._stop, tools.settings.output)
        #: What a good attempt tells before its status.
        self.last_fields: Callable[[], dict[str, str]] = lambda: end_fields(self._workspace.result, self.usage)
        held.progress = lambda: progress_fields(self._workspace.result, task.attempt.type)

    def do(self, limit: Callable[[], float | None]) -> Verdict:
        """Return how it ended; the logs are uploaded and nothing but the local logs is left on the disk.

        ``limit`` returns the seconds that it has, or raises ``TaskMalformed``. The logs of a precondition that is not
        true yet are not uploaded: there is more to come.
        """
        try:
            with deadline(self._stop, limit()):
                self._workspace.create()
                self._carry_out(self._plan())
        except PreconditionFalse as error:
            verdict = report.failed(error)
        except Exception as error:
            self.upload_logs()
            result = self._workspace.result
            verdict = self._outcome.failed(error, result, self.last_lines, self.logs, self.usage)
        else:
            verdict = Verdict(finished=True)
            self.upload_logs()
            self._report_end()
        finally:
            self._workspace.remove()
        return verdict

    def _plan(self) -> Plan:
        """Decide what is to be done, and which way it goes to S3."""
        task, source, objects = self._task, self._tools.group.source, self._objects
        proxy = proxy_of(task, objects)
        if proxy and not proxy.s3_directly:
            self._store = store_maker(self._settings, proxy.address)
        if wants_evaluation(task, self._settings.evaluate_scripts):
            task = with_evaluated_script(task, self._store, source, self._stop.event)
        return replace(make_plan(task, objects, self._workspace), proxy=proxy)

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
        if plan.look:
            self._look_for(plan.look)
            return
        if plan.inputs:
            from agent.staging import stage_in

            totals = stage_in(self._store(), plan.inputs, settings.minimum_free_disk, self._stop.event)
            self._tools.observers.staged(self._tools.group.name, "in", totals.files, totals.bytes)
            log.event("staged_in", task=digest(self._task.task_id), files=totals.files, bytes=totals.bytes)
        argv = plan.argv
        if plan.script:
            argv = (*prepare_script(plan.script, self._store, self._stop.event), *argv)
        conditions = task_conditions(settings, self._task.attempt)
        if conditions.user:
            self._workspace.give_to(conditions.user)
        directory = settings.working_directory or self._workspace.temporary
        self._run(Command(argv, self._environment(plan, conditions), directory, conditions), plan)
        if plan.outputs:
            from agent.staging import stage_out

            totals = stage_out(self._store(), plan.outputs, self._stop.event)
            self._tools.observers.staged(self._tools.group.name, "out", totals.files, totals.bytes)
            log.event("staged_out", task=digest(self._task.task_id), files=totals.files, bytes=totals.bytes)

    def _run(self, command: Command, plan: Plan) -> None:
        with self._log_files() as (stdout, stderr):
            failure = self._run_between_hooks(command, Streams(stdout, stderr), plan.untrue)
        if self._stop.reason in NO_STATUS:
            raise OwnershipLost("the attempt was ended by the service")
        targets = [Copied(stdout, plan.stdout), Copied(stderr, plan.stderr)]
        scratch, task = self._workspace.private, digest(self._task.task_id)
        copy_streams(targets, self._store, scratch, task, failed=failure is not None)
        if failure is not None:
            raise failure

    def _look_for(self, look: Look) -> None:
        found = self._store().holds(look.uri, directory=look.is_directory, cancelled=self._stop.event)
        said = f"{look.uri} is {'there' if found else 'not there'}"
        with self._log_files() as (stdout, _):
            stdout.feed(f"{said}\n".encode())
        if not found:
            raise PreconditionFalse(said)

    def _log_files(self) -> AbstractContextManager[tuple[OutputFile, OutputFile]]:
        tools = self._tools
        return tools.logs.attempt(self._task, self._workspace.logs, tools.group.name, self.log_uri, self._store)

    def _run_between_hooks(self, command: Command, streams: Streams, untrue: frozenset[int] | None) -> Exception | None:
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
            streams.stderr.settle()
        finally:
            self.last_lines = streams.stderr.tail()
        self.usage = usage_of(ended)
        failure = self._failure(ended, command, began)
        if type(failure) is CommandFailed and (untrue is None or ended.status in untrue):
            said = (contract.read_result(self._workspace.result) or {}).get("errorMessage")
            failure = PreconditionFalse(str(said or failure))
        around.after(command, ended.status, failure.error_id if isinstance(failure, DuctrunnerError) else "")
        return failure

    def _note(self, child: ChildRecord) -> None:
        if self._held.entry:
            # Of a precondition the one before has ended: an entry does not grow with the evaluations.
            self._held.entry.child(asdict(child), in_place=self._held.is_precondition)

    def _failure(self, ended: TreeEnded, command: Command, began: float) -> Exception | None:
        if self._stop.reason is None and ended.status == contract.EXIT_DONE:
            return None
        return self._outcome.explained(explain(ended, command, self._workspace.logs, began))

    def _environment(self, plan: Plan, conditions: Conditions) -> dict[str, str]:
        access = own_access(self._settings.region, self._settings.endpoint) if plan.own_program else {}
        return {
            **self._tools.environment,
            **(conditions.user.environment if conditions.user else {}),
            **plan.environment,
            **access,
            **lent_keys(access, self._tools.environment),
            **(plan.proxy.variables(self._settings.region) if plan.proxy else {}),
            AGENT_VARIABLE: self._tools.guard.token,
            contract.TASK_VARIABLE: digest(self._task.task_id),
            contract.PIPELINE_VARIABLE: self._task.pipeline_id,
            contract.ATTEMPT_VARIABLE: self._task.attempt.id,
            contract.RESULT_VARIABLE: str(self._workspace.result),
        }

    def upload_logs(self) -> None:
        """Copy them to S3, if they go there."""
        uri = self.log_uri
        if uri is not None and upload_logs(self._store, uri, self._workspace.logs, digest(self._task.task_id)):
            self.logs = uri

    def _report_end(self) -> None:
        fields = self.last_fields()
        if not fields:
            return
        try:
            self._tools.group.source.report_progress(self._held.task_id, fields)
        except DuctrunnerError as error:
            log.event("report_failed", level="WARNING", task=digest(self._task.task_id), error=str(error))
