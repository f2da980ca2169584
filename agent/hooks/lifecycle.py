"""The hooks at the agent's start (before the first poll) and end (after the last report)."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path

from agent import log
from agent.hooks.around import HOOK_VARIABLE
from agent.hooks.directory import AGENT_START, AGENT_STOP, Hooks, check
from agent.hooks.program import hook_argv
from agent.leaving.mailbox import Mailbox
from agent.logs.output import OutputFile
from agent.processes.child import Child, Command
from agent.processes.guard import Guard
from agent.stop import StopReason, StopSignal
from core.errors import DuctrunnerError, HookFailed
from core.redaction import REDACTOR
from steps_impl.contract import TASK_VARIABLE


class AgentHooks:
    """Runs them in the main thread's place: a signal to the agent ends a hook that is running."""

    def __init__(self, hooks: Hooks, guard: Guard, environment: Mapping[str, str], output: Path, grace: float) -> None:
        self._hooks = hooks
        self._guard = guard
        self._environment = environment
        self._logs = output / "logs"
        self._grace = grace

    def start(self, mailbox: Mailbox) -> None:
        """Run ``agent-start``.

        Raises:
            HookFailed: it failed; the agent must not start.
        """
        path = self._hooks.find().get(AGENT_START)
        if path is not None:
            self._run(AGENT_START, path, mailbox)

    def stop(self, mailbox: Mailbox) -> None:
        """Run ``agent-stop``; that it failed is logged."""
        try:
            path = self._hooks.find().get(AGENT_STOP)
            if path is not None:
                self._run(AGENT_STOP, path, mailbox)
        except (DuctrunnerError, OSError) as error:
            log.event("hook_failed", level="ERROR", hook=AGENT_STOP, error=str(error))

    def _run(self, name: str, path: Path, mailbox: Mailbox) -> None:
        check(path)
        self._logs.mkdir(parents=True, exist_ok=True)
        mark = {TASK_VARIABLE: f"{name}-{os.getpid()}", HOOK_VARIABLE: name}
        given = Command(hook_argv(path, Path(os.devnull)), {**self._environment, **mark}, Path.cwd())
        out, err = files = [OutputFile(self._logs / f"{name}.{kind}", REDACTOR.matcher()) for kind in ("out", "err")]
        try:
            status, why = self._wait(Child(self._guard, given, out, err), mailbox)
        finally:
            for file in files:
                file.close()
        if why or status:
            lines = "\n".join(filter(None, (file.tail() for file in files)))
            told = why or f"ended with exit status {status}"
            raise HookFailed(f"the hook {path} {told}" + (f"; its last lines:\n{lines}" if lines else ""))
        log.event("hook_ended", hook=name, status=status, stopped=False)

    def _wait(self, child: Child, mailbox: Mailbox) -> tuple[int, str]:
        """Return the exit status, and in words why the hook was ended (empty: it ended by itself)."""
        stop, ended, statuses = StopSignal(), threading.Event(), list[int]()

        def carry() -> None:
            try:
                statuses.append(child.wait(stop, self._grace).status)
            finally:
                ended.set()
                mailbox.nudge()

        thread = threading.Thread(target=carry, name="hook", daemon=True)
        timer = threading.Timer(min(self._hooks.timeout, threading.TIMEOUT_MAX), stop.set, (StopReason.TIMED_OUT,))
        timer.daemon = True
        thread.start()
        timer.start()
        try:
            while not ended.is_set():
                heard = mailbox.wait(None)
                if heard.stops or heard.quit:
                    stop.set(StopReason.AGENT_STOPPED)
            thread.join()
        finally:
            timer.cancel()
            stop.close()
        return (statuses[0] if statuses else 1), _WHY.get(stop.reason, "")


_WHY: dict[StopReason | None, str] = {
    StopReason.TIMED_OUT: "took longer than agent.hook_timeout and was ended",
    StopReason.AGENT_STOPPED: "was ended: the agent was asked to stop",
}
