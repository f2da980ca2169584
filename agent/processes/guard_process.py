"""A small process beside the agent: it starts what the agent wants started, and outlives it to end all of that.

``python -I -m agent.processes.guard_process TOKEN GRACE KEEP_DAEMONS OUTPUT [CGROUPS]`` with a socket of the agent as
standard input. Each message on it asks for a shim and brings its end of the socket to the agent. The end of the file is
the agent's death.

Without it, the command of an attempt would outlive an agent that was killed with -9, and run beside its own retry; and
what was staged would fill the disk, attempt by attempt. It imports little, to stay small and quick to fork.
"""

from __future__ import annotations

import _socket
import gc
import os
import select
import signal
import sys
import time

from agent.processes import tree
from agent.processes.cgroup import kill_group, remove_group
from agent.processes.ending import end
from agent.processes.kernel import become_subreaper
from agent.processes.shim import Shim, group_of, terms_of
from agent.processes.wakeup import Wakeup
from agent.processes.wire import TreeEnded, unpacked

#: What the agent sends when it ends in good order.
DISMISSED = b"."
#: What it sends, with one descriptor, when it wants a shim.
WANTED = b"+"
_FD_SIZE = 4  # bytes
#: Seconds that a shim may take beyond the grace to end its tree.
SHIM_PATIENCE = 5.0


class GuardProcess:
    """The loop of the guard."""

    def __init__(self, token: str, grace: float, keep_daemons: bool, output: str, cgroups: str = "") -> None:
        self._token = token
        self._grace = grace
        self._keep_daemons = keep_daemons
        self._output = output
        self._cgroups = cgroups
        self._agent = _socket.socket(fileno=sys.stdin.fileno())
        self._wakeup = Wakeup()
        #: By process id, a copy of the shim's end of its socket to the agent.
        self._shims: dict[int, int] = {}
        #: What attempts have left in good order.
        self._daemons: set[int] = set()

    def run(self) -> None:
        """Serve the agent until it dismisses this process, or dies."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        become_subreaper()
        gc.freeze()
        poller = select.poll()
        poller.register(self._agent.fileno(), select.POLLIN)
        poller.register(self._wakeup.fileno(), select.POLLIN)
        serving = True
        while serving:
            ready = {fd for fd, _ in poller.poll()}
            self._wakeup.clear()
            self._reap()
            if self._agent.fileno() in ready:
                serving = self._serve()

    def _serve(self) -> bool:
        """Do what the agent wants; ``False`` when there is no more to do."""
        try:
            text, ancillary, _, _ = self._agent.recvmsg(1, _socket.CMSG_SPACE(_FD_SIZE), _socket.MSG_CMSG_CLOEXEC)
        except ConnectionResetError:
            text, ancillary = b"", []
        if text == DISMISSED:
            return False
        if not text:
            self._outlive()
            return False
        [(_, _, packed)] = ancillary
        [control] = unpacked(packed)
        self._fork(control)
        return True

    def _fork(self, control: int) -> None:
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                self._forget()
                Shim(control, terms_of(self._grace, self._keep_daemons, self._cgroups, self._token)).run()
                status = 0
            except BaseException:
                sys.excepthook(*sys.exc_info())
            finally:
                os._exit(status)
        self._shims[pid] = control

    def _forget(self) -> None:
        """Close, in a new shim, what belongs to the guard and to other shims."""
        self._wakeup.close()
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, self._agent.detach())  # standard input must not become something else
        os.close(nothing)
        for control in self._shims.values():
            os.close(control)

    def _reap(self) -> None:
        """Bury the dead; a shim that has died before its time has left its tree to this process."""
        while (found := _next_dead())[0]:
            pid, status = found
            self._daemons.discard(pid)
            control = self._shims.pop(pid, None)
            if control is None:
                continue
            if status:
                self._take_over(pid, control, os.waitstatus_to_exitcode(status))
            elif self._keep_daemons:
                self._daemons.update(child for child, _ in self._orphans())
            os.close(control)

    def _take_over(self, shim: int, control: int, status: int) -> None:
        """End the tree of a dead shim, then tell the agent."""
        end(self._new_orphans, 0, self._pause)
        self._remove_group(shim)
        try:
            TreeEnded(lost=-status, status=-signal.SIGKILL).send(control)
        except BrokenPipeError:
            return  # the agent has died meanwhile

    def _new_orphans(self) -> list[tree.Process]:
        return [process for process in self._orphans() if process[0] not in self._daemons]

    def _orphans(self) -> list[tree.Process]:
        """Return what lives below this process, but below none of its shims."""
        strangers = [pid for pid in tree.children(os.getpid()) if pid not in self._shims]
        known = [process for pid in strangers if (process := tree.named(pid))]
        return tree.living([*known, *tree.descendants(*strangers)])

    def _outlive(self) -> None:
        """The agent has died: let the shims end their trees, end what is left, remove what was staged."""
        give_up = time.monotonic() + self._grace + SHIM_PATIENCE
        while self._shims and (rest := give_up - time.monotonic()) > 0:
            self._pause(rest)
            self._reap()
        for pid in self._shims:
            os.kill(pid, signal.SIGKILL)
        left = end(self._everyone, self._grace, self._pause)
        for pid in self._shims:
            self._remove_group(pid)
        if not left:
            remove_directories(self._token, self._output)

    def _everyone(self) -> list[tree.Process]:
        while _next_dead()[0]:
            continue
        return tree.living(tree.descendants(os.getpid()))

    def _remove_group(self, shim: int) -> None:
        if group := group_of(self._cgroups, self._token, shim):
            kill_group(group)
            remove_group(group)

    def _pause(self, seconds: float) -> None:
        self._wakeup.wait(min(seconds, 0.05))


def _next_dead() -> tuple[int, int]:
    """Bury a dead child: its number and wait status; zeros when there is none."""
    try:
        return os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return 0, 0


def remove_directories(token: str, output: str) -> None:
    """Remove what the attempts of an agent have left below ``output``: scripts and staged data, not their logs."""
    import shutil
    from pathlib import Path

    root = Path(output)
    for path in (*root.glob(f"tmp/*-{token}*"), *root.glob(f"staging/*_{token}*")):
        shutil.rmtree(path, ignore_errors=True)


if __name__ == "__main__":
    GuardProcess(sys.argv[1], float(sys.argv[2]), sys.argv[3] == "True", *sys.argv[4:]).run()
