"""The agent's end of its guard: see ``agent.processes`` and ``agent.processes.guard_process``."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from agent import log
from agent.processes import tree
from agent.processes.ending import end
from agent.processes.guard_process import DISMISSED, WANTED
from agent.processes.kernel import become_subreaper
from agent.processes.tree import Process
from agent.processes.wakeup import readable
from core.errors import AgentStopped

#: Names the agent process that started a process; value: a random token per agent process.
AGENT_VARIABLE = "DUCTRUNNER_AGENT"
_MODULE = "agent.processes.guard_process"
_LOOK_INTERVAL = 0.02  # seconds


class Guard:
    """Starts the guard process; it lives as long as this process does.

    Args:
        grace: Seconds between TERM and KILL where the agent has not said otherwise.
        output: The agent's directory, from which the guard of a dead agent removes what was staged.
        keep_daemons: Processes that have left the group of their command outlive it.
        cgroups: The control group that is divided among attempts; ``None``: none is ours.
    """

    def __init__(self, grace: float, output: Path, *, keep_daemons: bool = False, cgroups: Path | None = None) -> None:
        #: 16 hexadecimal digits: marks the processes and the directories of this agent.
        self.token = os.urandom(8).hex()
        self._grace = grace
        self._lock = threading.Lock()
        self._idle: list[socket.socket] = []
        #: What this process has started by itself; everything else that becomes its child is the guard's.
        self._own = set(tree.descendants(os.getpid()))
        become_subreaper()
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        words = [self.token, str(grace), str(keep_daemons), str(output)]
        if cgroups and not keep_daemons:  # which would hold their group
            words.append(str(cgroups))
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-m", _MODULE, *words],
                stdin=theirs.fileno(),
                env={**os.environ, AGENT_VARIABLE: self.token},
                start_new_session=True,
            )
        self._pidfd = os.pidfd_open(self._process.pid)

    def fileno(self) -> int:
        """Return a descriptor that becomes readable when the guard dies."""
        return self._pidfd

    def idle_shim(self) -> socket.socket | None:
        """Return our end of the socket to a shim that waits for a command (it may just be going), if there is one."""
        with self._lock:
            while self._idle:
                shim = self._idle.pop()
                if not readable(shim.fileno(), 0):
                    return shim
                shim.close()  # it has gone, or was killed
        return None

    def new_shim(self) -> socket.socket:
        """Have a shim started; return our end of the socket to it.

        Raises:
            AgentStopped: the guard has died, so the agent is about to stop.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self._socket, [WANTED], [theirs.fileno()])
            except OSError:
                ours.close()
                raise guard_gone() from None
        return ours

    def give_back(self, shim: socket.socket) -> None:
        """Take a shim back that waits for another command."""
        with self._lock:
            self._idle.append(shim)

    def dismiss(self) -> None:
        """The agent ends in good order: the guard goes without ending anything.

        What a guard that has died before has left is ended here; it has become this process's own.
        """
        try:
            self._socket.send(DISMISSED)
        except OSError:
            log.event("guard_gone", level="ERROR")  # that is why the agent stops
            end(self._inherited, self._grace, pause)
        self._process.wait()
        os.close(self._pidfd)
        for shim in (self._socket, *self._idle):
            shim.close()

    def _inherited(self) -> list[Process]:
        """What has come to this process from a dead guard or its shims."""
        children = [
            child for pid in tree.children(os.getpid()) if (child := tree.named(pid)) and child not in self._own
        ]
        return tree.living([*children, *tree.descendants(*(pid for pid, _ in children))])


def guard_gone() -> AgentStopped:
    """Return the error of an attempt that needs the guard when it has died."""
    return AgentStopped("the guard process of the worker has died; the worker stops, the service may retry the attempt")


def kill_hung(shim: Process) -> None:
    """Kill a shim that does not do what it is told (somebody has stopped it); the guard then ends its tree."""
    tree.send(shim, signal.SIGKILL)


def is_guard_or_shim(pid: int) -> bool:
    """Return whether a process is a guard or (since it is forked from one) a shim, of whatever agent."""
    return _MODULE.encode() in tree.read(f"/proc/{pid}/cmdline").split(b"\0")


def pause(seconds: float) -> None:
    """Wait until it is worth another look, at most so many seconds."""
    time.sleep(min(seconds, _LOOK_INTERVAL))
