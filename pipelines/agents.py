"""Agents that a run starts for the worker groups that nobody serves, and ends afterwards.

The sandbox's service tells which groups have tasks waiting and when a worker last asked for one (``GET
/_sandbox/groups``). A group is nobody's when no worker has asked for some seconds and none holds a task of it: an agent
of the user that is busy or between two polls is therefore left alone, and ours comes only when nobody does.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from core.errors import SandboxError
from pipelines.control import ask

#: Seconds without a poll after which a group without tasks in work is nobody's.
SILENCE = 3.0
#: A precondition without a retryDelay is looked at every ten minutes by a worker; nobody waits so long at a desk.
_PACE = {"DUCTRUNNER_AGENT_PRECONDITION_RETRY_DELAY": "5"}
#: Looks in a row that must agree before an agent is started.
_LOOKS = 2
#: Seconds without a task after which an agent of ours goes by itself: one that was left behind by a killed run, too.
IDLE = 300
#: Seconds that an agent has to end its last attempts before it is killed.
DRAIN = 60.0


@dataclass
class Agents:
    """Starts agents while it is asked to, and ends them when it is left."""

    url: str | None
    pipeline_id: str
    output: Path
    environment: Mapping[str, str]
    say: Callable[[str], None]
    tasks: int = 4
    wanted: bool = True
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _alone: dict[str, int] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    @property
    def any(self) -> bool:
        """Whether there are logs of an agent of ours."""
        return bool(self._running)

    def serve(self) -> None:
        """Look which groups of the pipeline wait for nobody, and start an agent for each.

        Raises:
            SandboxError: an agent of ours ended while it was needed.
        """
        lonely = self._lonely()
        self._alone = {group: self._alone.get(group, 0) + 1 for group in lonely}
        for group, looks in self._alone.items():
            if looks < _LOOKS:
                continue
            if not self.wanted:
                self._tell_once(group)
            elif self._is_gone(group):
                self._running[group] = self._start(group)

    def end(self) -> None:
        """End the agents of ours: they finish what they have, and are killed when that takes too long."""
        for agent in self._running.values():
            if agent.poll() is None:
                agent.send_signal(signal.SIGTERM)
        for agent in self._running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                agent.wait(DRAIN)
            if agent.poll() is None:
                agent.kill()
                agent.wait()

    def hurry(self) -> None:
        """Let the agents of ours end their attempts at once."""
        for agent in self._running.values():
            if agent.poll() is None:
                agent.send_signal(signal.SIGQUIT)

    def _lonely(self) -> list[str]:
        groups = ask(self.url, "GET", "groups").get("groups", {}) if self.url else {}
        return [
            name
            for name, group in groups.items()
            if self.pipeline_id in group["waiting"]
            and not group["held"]
            and (group["silence"] is None or group["silence"] > SILENCE)
        ]

    def _tell_once(self, group: str) -> None:
        if group not in self._told:
            self._told.add(group)
            self.say(
                f"no worker asks for tasks of the group {group!r}; start one: ductrunner agent --workerGroup={group}"
            )

    def _start(self, group: str) -> subprocess.Popen[bytes]:
        self.output.mkdir(parents=True, exist_ok=True, mode=0o700)
        command = [sys.executable, "-m", "ductrunner", "agent", f"--workerGroup={group}"]
        command += [f"--tasks={self.tasks}", f"--idle-exit={IDLE}", f"--output={self.output}"]
        log = self.output / f"agent-{len(self._running) + 1}.log"
        self.say(f"nobody serves the worker group {group!r}: an agent runs for it until the end (its log: {log})")
        with log.open("ab") as lines:
            return subprocess.Popen(
                command,
                env={**_PACE, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=lines,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C is for us: we tell the agent what to do
            )

    def _is_gone(self, group: str) -> bool:
        agent = self._running.get(group)
        if agent is not None and agent.poll():
            raise SandboxError(
                f"the agent for the worker group {group!r} ended with status {agent.returncode}; look at {self.output}"
            )
        return agent is None or agent.returncode == 0
