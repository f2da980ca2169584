"""The hooks around the command of one attempt: ``environment`` and ``pre-task`` before it, ``post-task`` after it.

They run as children of their own through the machinery of the command: same output files (so the same redaction),
same environment, ended with their tree by a cancel, a time-out, or their own time-out. What they export goes to the
later hooks and to the command. The agent's own variables (which mark the processes of the attempt) stay as they are.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from agent import log
from agent.hooks.changes import ENV_FILE, apply_changes
from agent.hooks.directory import ENVIRONMENT, POST_TASK, PRE_TASK, Hooks, check
from agent.hooks.program import hook_argv
from agent.logs.output import TAIL_LIMIT, OutputFile
from agent.processes.child import Child, Command
from agent.processes.guard import AGENT_VARIABLE, Guard
from agent.stop import StopReason, StopSignal
from core.errors import HookFailed
from core.redaction import REDACTOR
from steps_impl import contract

HOOK_VARIABLE = "DUCTRUNNER_HOOK"
STATUS_VARIABLE = "DUCTRUNNER_EXIT_STATUS"
ERROR_VARIABLE = "DUCTRUNNER_ERROR_ID"
#: What a hook cannot change: the attempt's processes and its result are found by these.
OWN = (
    AGENT_VARIABLE,
    contract.TASK_VARIABLE,
    contract.PIPELINE_VARIABLE,
    contract.ATTEMPT_VARIABLE,
    contract.RESULT_VARIABLE,
)
_SIGNAL_BASE = 128  # a shell reports a program that was ended by a signal as 128 + number


@dataclass(frozen=True)
class Streams:
    """Where the output of the command and its hooks goes."""

    stdout: OutputFile
    stderr: OutputFile


class AroundCommand:
    """The hooks of one attempt; every method is called by the attempt's thread."""

    def __init__(
        self,
        hooks: Hooks,
        guard: Guard,
        facts: Mapping[str, str],
        streams: Streams,
        stop: StopSignal,
        scratch: Path,
        grace: float,
    ) -> None:
        self._hooks = hooks
        self._guard = guard
        self._facts = facts
        self._streams = streams
        self._stop = stop
        self._scratch = scratch
        self._grace = grace
        self._found = hooks.find()

    def before(self, command: Command) -> Command:
        """Run ``environment`` and ``pre-task``; return the command as they want it.

        Raises:
            HookFailed: one failed, took too long or must not be run; or the attempt was stopped meanwhile.
        """
        for name in (ENVIRONMENT, PRE_TASK):
            if name in self._found:
                command = self._run(name, command, {})
        return command

    def after(self, command: Command, status: int, error_id: str) -> None:
        """Run ``post-task``, told how the command ended; of a stopped attempt it has ``kill_grace`` seconds.

        Raises:
            HookFailed: it failed, and the command had not; otherwise that is only logged.
        """
        if POST_TASK not in self._found:
            return
        told = str(_SIGNAL_BASE - status if status < 0 else status)
        try:
            self._run(POST_TASK, command, {STATUS_VARIABLE: told, ERROR_VARIABLE: error_id}, cleanup=True)
        except HookFailed as error:
            if not error_id:
                raise
            log.event("hook_failed", level="ERROR", hook=POST_TASK, attempt=self._attempt(command), error=str(error))

    def _run(self, name: str, command: Command, told: Mapping[str, str], *, cleanup: bool = False) -> Command:
        path = self._found[name]
        check(path)
        saved, env_file = self._scratch / f"{name}.saved", self._scratch / f"{name}.env"
        env_file.touch(mode=0o600)
        variables = {**self._facts, **told, HOOK_VARIABLE: name, ENV_FILE: str(env_file)}
        given = Command(hook_argv(path, saved), {**command.environment, **variables}, command.directory)
        self._carry_out(name, path, given, cleanup=cleanup)
        changed = apply_changes(command, given, saved, env_file, self._hooks)
        for stream in (self._streams.stdout, self._streams.stderr):
            stream.learn(REDACTOR.matcher())
        own = {key: command.environment[key] for key in OWN if key in command.environment}
        return replace(changed, environment={**changed.environment, **own})

    def _carry_out(self, name: str, path: Path, given: Command, *, cleanup: bool) -> None:
        out, err = self._streams.stdout, self._streams.stderr
        begun = {stream.path: _size(stream.path) for stream in (out, err)}
        with self._limited(cleanup=cleanup) as (limited, seconds):
            status = Child(self._guard, given, out, err).wait(limited, self._grace).status
            reason = limited.reason
        if reason is None and status == 0:
            return
        log.event("hook_ended", hook=name, attempt=self._attempt(given), status=status, stopped=reason is not None)
        raise HookFailed(_explained(path, status, reason, seconds) + _last_lines(begun))

    @contextmanager
    def _limited(self, *, cleanup: bool) -> Iterator[tuple[StopSignal, float]]:
        """A signal that is set after the hook's time, or when the attempt is stopped; and that time in seconds."""
        stopped = cleanup and self._stop.reason is not None
        seconds = min(self._hooks.timeout, self._grace) if stopped else self._hooks.timeout
        limited = StopSignal() if stopped else self._stop.follower()
        timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), limited.set, (StopReason.TIMED_OUT,))
        timer.name, timer.daemon = "hook-deadline", True
        timer.start()
        try:
            yield limited, seconds
        finally:
            timer.cancel()
            limited.close()

    def _attempt(self, command: Command) -> str:
        return command.environment.get(contract.ATTEMPT_VARIABLE, "")


def _explained(path: Path, status: int, reason: StopReason | None, seconds: float) -> str:
    if reason is StopReason.TIMED_OUT:
        return f"the hook {path} was ended after {seconds:g} s; agent.hook_timeout says how long a hook may take"
    if reason is not None:
        return f"the hook {path} was ended with its attempt"
    if status < 0:
        return f"the hook {path} was ended by signal {-status}"
    return f"the hook {path} ended with exit status {status}"


def _size(path: Path) -> int:
    return path.stat().st_size


def _last_lines(begun: Mapping[Path, int]) -> str:
    """Return what the hook has written since, redacted as it is in the logs: the end of it."""
    parts = []
    for path, size in begun.items():
        with path.open("rb") as file:
            file.seek(max(size, _size(path) - TAIL_LIMIT // 4))
            parts.append(file.read().decode("utf-8", "replace").strip())
    text = "\n".join(filter(None, parts))
    return f"; its last lines:\n{text}" if text else ""
