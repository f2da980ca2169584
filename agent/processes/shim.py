"""The process between the guard and a command: starts it, watches its tree, ends it, tells the agent; then the next.

It is forked from the guard and talks with the agent over a socket whose other end only the agent holds: the end of
that file is the agent's death. When its tree is gone, it can take another command, which saves the fork.
"""

from __future__ import annotations

import _socket
import os

from agent.processes.kernel import become_subreaper, name_process
from agent.processes.wakeup import Wakeup, readable
from agent.processes.watch import Terms, Watch
from agent.processes.wire import Launch, receive_with

#: A shim that has had nothing to do for so long goes.
IDLE = 10.0  # seconds


class Shim:
    """Lives in a process of its own."""

    def __init__(self, control: int, terms: Terms) -> None:
        self._control = _socket.socket(fileno=control)
        self._terms = terms

    def run(self) -> None:
        """Take commands one by one; returns when the agent is dead or has none."""
        become_subreaper()
        name_process("ductrunner-shim")
        wakeup = Wakeup()
        again = True
        while again and readable(self._control.fileno(), IDLE):
            message, streams = receive_with(self._control)
            if message is None:
                return
            if isinstance(message, Launch):  # else it is the order to end a tree that had just ended
                stdout, stderr = streams
                again = Watch(self._control.fileno(), (stdout, stderr), self._terms, wakeup).run(message)


def group_of(cgroups: str, token: str, pid: int) -> str:
    """Return the directory of the cgroup of a shim's command; empty where there are no cgroups."""
    return f"{cgroups}/ductrunner-{token}-{pid}" if cgroups else ""


def terms_of(grace: float, keep_daemons: bool, cgroups: str, token: str) -> Terms:
    """Return the terms of this process, a shim."""
    return Terms(grace, keep_daemons, group_of(cgroups, token, os.getpid()))
