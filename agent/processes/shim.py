"""The process that stands between the guard and one command: starts it, watches its tree, ends it, tells the agent.

It is forked from the guard, so it costs a millisecond and little memory. It talks with the agent over a socket whose
other end only the agent holds: the end of that file is the agent's death.
"""

from __future__ import annotations

import os
import resource
import select
import signal

from agent.processes import tree
from agent.processes.cgroup import Cgroup
from agent.processes.ending import end
from agent.processes.kernel import become_subreaper, name_process
from agent.processes.launch import LaunchRefused, launch
from agent.processes.memory import SAMPLE_INTERVAL, machine_kills, used_by_tree
from agent.processes.wakeup import Wakeup
from agent.processes.wire import End, Launch, Started, TreeEnded, receive

_KILOBYTE = 1024


class Shim:
    """Watches one command; lives in a process of its own."""

    def __init__(
        self, control: int, streams: tuple[int, int], directory: str, grace: float, keep_daemons: bool
    ) -> None:
        self._control = control
        self._streams = streams
        self._directory = directory
        self._grace = grace
        self._keep_daemons = keep_daemons
        self._wakeup = Wakeup()
        self._cgroup: Cgroup | None = None
        self._pid = 0
        self._wait_status: int | None = None
        self._childless = False
        self._limit = 0  # bytes; 0: there is none, or the kernel watches it
        self._over = 0

    def run(self) -> None:
        """Do everything; returns when the tree is gone and the agent, if it lives, has been told."""
        become_subreaper()
        name_process("ductrunner-shim")
        wanted = receive(self._control)
        if not isinstance(wanted, Launch):
            return  # the agent has died meanwhile
        kills = machine_kills()
        try:
            self._start(wanted)
            left = self._watch()
            told = self._account(kills, left)
        except LaunchRefused as error:
            self._remove_cgroup()
            error.refused.send(self._control)
        except BrokenPipeError:  # the agent has died meanwhile
            self._end_all(self._grace)
            self._remove_cgroup()
        else:
            self._remove_cgroup()
            told.send(self._control)

    def _start(self, wanted: Launch) -> None:
        self._limit = wanted.memory_limit or 0
        if self._directory:
            try:
                self._cgroup = Cgroup(self._directory)
            except OSError:
                self._cgroup = None  # the tree is enough to end it
            if self._cgroup and self._limit and self._cgroup.limit_memory(self._limit):
                self._limit = 0
        self._pid = launch(wanted, *self._streams, self._cgroup.entrance if self._cgroup else None)
        for fd in self._streams:
            os.close(fd)
        command, own = tree.named(self._pid), tree.named(os.getpid())
        Started(command or (self._pid, 0), own or (os.getpid(), 0)).send(self._control)

    def _watch(self) -> list[tree.Process]:
        """Wait for the end of the command, or for a reason to end it; return what could not be ended."""
        poller = select.poll()
        poller.register(self._control, select.POLLIN)
        poller.register(self._wakeup.fileno(), select.POLLIN)
        patience = SAMPLE_INTERVAL * 1000 if self._limit else None
        while True:
            ready = {fd for fd, _ in poller.poll(patience)}
            self._wakeup.clear()
            self._reap()
            if self._control in ready:
                wanted = receive(self._control)
                return self._end_all(wanted.grace if isinstance(wanted, End) else self._grace)
            if self._wait_status is not None:
                return self._end_group() if self._keep_daemons else self._end_all(self._grace)
            if self._limit and (used := used_by_tree(os.getpid(), self._limit)) > self._limit:
                self._over = used
                return self._end_all(0)

    def _end_all(self, grace: float) -> list[tree.Process]:
        return end(self._left, grace, self._wakeup.wait, self._cgroup.kill if self._cgroup else None)

    def _end_group(self) -> list[tree.Process]:
        """End the process group of the command; what has left it is a daemon, and stays."""
        end(self._left_in_group, self._grace, self._wakeup.wait)
        return []

    def _left(self) -> list[tree.Process]:
        self._reap()
        return [] if self._childless else tree.descendants(os.getpid())

    def _left_in_group(self) -> list[tree.Process]:
        everyone = [(process, tree.stat_of(process[0])) for process in tree.living(self._left())]
        return [process for process, stat in everyone if stat and stat.group == self._pid]

    def _reap(self) -> None:
        """Bury the dead; without a child, dead or alive, there is no tree any more."""
        try:
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                if found[0] == self._pid:
                    self._wait_status = found[1]
        except ChildProcessError:
            self._childless = True

    def _account(self, kills: int, left: list[tree.Process]) -> TreeEnded:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu, peak, group_kills = used.ru_utime + used.ru_stime, used.ru_maxrss * _KILOBYTE, 0
        if self._cgroup:
            cpu = self._cgroup.cpu_seconds() or cpu
            peak = self._cgroup.peak_memory() or peak
            group_kills = self._cgroup.memory_kills()
        raw = self._wait_status
        status = -signal.SIGKILL if raw is None else os.waitstatus_to_exitcode(raw)  # None: it could not be ended
        return TreeEnded(
            core=raw is not None and os.WIFSIGNALED(raw) and os.WCOREDUMP(raw),
            cpu=cpu,
            group_kills=group_kills,
            left=[pid for pid, _ in left],
            machine_kills=machine_kills() - kills if status else 0,
            over=self._over,
            peak=peak,
            status=status,
        )

    def _remove_cgroup(self) -> None:
        if self._cgroup:
            self._cgroup.remove()
