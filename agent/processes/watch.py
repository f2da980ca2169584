"""One command under the eyes of its shim, from its start to the end of everything that it has started."""

from __future__ import annotations

import os
import select
import signal

from agent.processes import tree
from agent.processes.cgroup import Cgroup
from agent.processes.ending import end
from agent.processes.launch import CGROUP, LaunchRefused, launch
from agent.processes.memory import SAMPLE_INTERVAL, machine_kills, used_by_tree
from agent.processes.wakeup import Wakeup
from agent.processes.wire import End, Launch, Started, TreeEnded, receive

#: ``typing`` would cost the guard a megabyte; type checkers know this name too.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_KILOBYTE = 1024


class Terms:
    """What holds for every command of an agent."""

    __slots__ = ("cgroup", "grace", "keep_daemons")

    def __init__(self, grace: float, keep_daemons: bool, cgroup: str) -> None:
        self.grace = grace
        self.keep_daemons = keep_daemons
        #: Directory to make for the command; empty: none.
        self.cgroup = cgroup


class Watch:
    """Watches one command; the process has no other child."""

    def __init__(self, control: int, streams: tuple[int, int], terms: Terms, wakeup: Wakeup) -> None:
        self._control = control
        self._streams = streams
        self._terms = terms
        self._wakeup = wakeup
        self._cgroup: Cgroup | None = None
        self._pid = 0
        self._wait_status: int | None = None
        self._childless = False
        self._limit = 0  # bytes; 0: there is none, or the kernel watches it
        self._over = 0
        self._cpu = 0.0
        self._peak = 0

    def run(self, wanted: Launch) -> bool:
        """Do everything; ``False`` when this process is of no more use: the agent is dead, or something is left."""
        kills = machine_kills()
        try:
            self._start(wanted)
            left = self._watch()
            told = self._account(kills, left)
        except LaunchRefused as error:
            self._close_streams()
            self._remove_cgroup()
            return _tell(error.refused.send, self._control)
        except BrokenPipeError:  # the agent has died meanwhile
            self._end_all(self._terms.grace)
            self._remove_cgroup()
            return False
        self._remove_cgroup()
        return _tell(told.send, self._control) and told.again

    def _start(self, wanted: Launch) -> None:
        self._limit = wanted.memory_limit or 0
        self._make_cgroup()
        try:
            self._pid = launch(wanted, self._streams, self._cgroup)
        except LaunchRefused as error:
            if error.refused.step != CGROUP:
                raise
            self._remove_cgroup()
            self._limit = wanted.memory_limit or 0
            self._pid = launch(wanted, self._streams, None)
        self._close_streams()
        command, own = tree.named(self._pid), tree.named(os.getpid())
        Started(command or (self._pid, 0), own or (os.getpid(), 0)).send(self._control)

    def _make_cgroup(self) -> None:
        if not self._terms.cgroup:
            return
        try:
            self._cgroup = Cgroup(self._terms.cgroup)
        except OSError:
            return  # the tree is enough to end it
        if self._limit and self._cgroup.limit_memory(self._limit):
            self._limit = 0

    def _watch(self) -> list[tree.Process]:
        """Wait for the end of the command, or for a reason to end it; return what could not be ended."""
        poller = select.poll()
        poller.register(self._control, select.POLLIN)
        poller.register(self._wakeup.fileno(), select.POLLIN)
        patience = SAMPLE_INTERVAL * 1000 if self._limit else None
        while True:
            self._wakeup.clear()
            self._reap()
            if self._wait_status is not None:
                return self._end_group() if self._terms.keep_daemons else self._end_all(self._terms.grace)
            if self._control in {fd for fd, _ in poller.poll(patience)}:
                wanted = receive(self._control)
                return self._end_all(wanted.grace if isinstance(wanted, End) else self._terms.grace)
            if self._limit and (used := used_by_tree(os.getpid(), self._limit)) > self._limit:
                self._over = used
                return self._end_all(0)

    def _end_all(self, grace: float) -> list[tree.Process]:
        return end(self._left, grace, self._wakeup.wait, self._cgroup.kill if self._cgroup else None)

    def _end_group(self) -> list[tree.Process]:
        """End the process group of the command; what has left it is a daemon, and stays."""
        return end(self._left_in_group, self._terms.grace, self._wakeup.wait)

    def _left(self) -> list[tree.Process]:
        self._reap()
        return [] if self._childless else tree.descendants(os.getpid())

    def _left_in_group(self) -> list[tree.Process]:
        everyone = [(process, tree.stat_of(process[0])) for process in tree.living(self._left())]
        return [process for process, stat in everyone if stat and stat.group == self._pid]

    def _reap(self) -> None:
        """Bury the dead and add up what they used; without a child, dead or alive, there is no tree any more."""
        try:
            while (found := os.wait4(-1, os.WNOHANG))[0]:
                pid, status, used = found
                self._cpu += used.ru_utime + used.ru_stime
                self._peak = max(self._peak, used.ru_maxrss * _KILOBYTE)
                if pid == self._pid:
                    self._wait_status = status
        except ChildProcessError:
            self._childless = True

    def _account(self, kills: int, left: list[tree.Process]) -> TreeEnded:
        cpu, peak, group_kills = self._cpu, self._peak, 0
        if self._cgroup:
            cpu = self._cgroup.cpu_seconds() or cpu
            peak = self._cgroup.peak_memory() or peak
            group_kills = self._cgroup.memory_kills()
        raw = self._wait_status
        status = -signal.SIGKILL if raw is None else os.waitstatus_to_exitcode(raw)  # None: it could not be ended
        return TreeEnded(
            again=self._childless,
            core=raw is not None and os.WIFSIGNALED(raw) and os.WCOREDUMP(raw),
            cpu=cpu,
            group_kills=group_kills,
            left=[pid for pid, _ in left],
            machine_kills=machine_kills() - kills if status else 0,
            over=self._over,
            peak=peak,
            status=status,
        )

    def _close_streams(self) -> None:
        for fd in self._streams:
            os.close(fd)

    def _remove_cgroup(self) -> None:
        if self._cgroup:
            self._cgroup.remove()
        self._cgroup = None


def _tell(send: Callable[[int], None], control: int) -> bool:
    """Send a message; ``False`` when the agent has died meanwhile."""
    try:
        send(control)
    except BrokenPipeError:
        return False
    return True
