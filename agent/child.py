"""One child process in its own session: started, its output carried to files, ended when it is told to.

The thread that runs the attempt waits here for whichever comes first: output, the child's end, a stop.
A child that leaves the pipe open in a process of its own cannot hold the attempt: after the child's end the pipe has
``PIPE_GRACE`` seconds. What is left in the child's process group is ended with it; a daemon has to leave the group.
"""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.logs.output import OutputFile
from agent.processes import end_group, end_tree, find_tree, group_lives
from agent.stop import StopSignal
from core.errors import CommandFailed, DiskFull
from steps_impl.contract import TASK_VARIABLE

CHUNK = 1 << 16  # bytes, the size of a pipe
PIPE_GRACE = 1.0  # seconds


@dataclass(frozen=True)
class Command:
    """What to run: program and arguments (no secrets), the whole environment, the working directory."""

    argv: Sequence[str]
    environment: Mapping[str, str]
    directory: Path


class Child:
    """A running command; ``wait`` is called once, by the thread that started it. The files stay open."""

    def __init__(self, command: Command, stdout: OutputFile, stderr: OutputFile) -> None:
        self._mark = command.environment[TASK_VARIABLE]
        self._streams: dict[int, OutputFile] = {}
        writing: list[int] = []
        try:
            for file in (stdout, stderr):
                reading, end = os.pipe()
                os.set_blocking(reading, False)
                self._streams[reading] = file
                writing.append(end)
            self._process = _start(command, *writing)
        except BaseException:
            self._close_pipes()
            raise
        finally:
            for end in writing:
                os.close(end)
        self._pidfd = os.pidfd_open(self._process.pid)

    def wait(self, stop: StopSignal, grace: float) -> int:
        """Carry output until the child has ended, and return its exit status (negative: the signal).

        On a stop, everything that the child has started is ended: TERM, ``grace`` seconds, KILL.

        Raises:
            DiskFull: its output could not be written; it has been ended.
        """
        try:
            if not self._carry(stop):
                self._end_everything(grace)
            status = self._process.wait()
            if group_lives(self._process.pid):
                end_group(self._process.pid, grace)
            self._carry_rest()
        except DiskFull:
            self._end_everything(grace)
            self._process.wait()
            raise
        finally:
            os.close(self._pidfd)
            self._close_pipes()
        return status

    def _carry(self, stop: StopSignal) -> bool:
        """Return ``True`` when the child has ended by itself, ``False`` on a stop."""
        poller = select.poll()
        for fd in (*self._streams, self._pidfd, stop.fileno()):
            poller.register(fd, select.POLLIN)
        while True:
            ready = {fd for fd, _ in poller.poll()}
            if stop.fileno() in ready:
                return False
            for fd in ready & self._streams.keys():
                if not self._carry_chunk(fd):
                    poller.unregister(fd)
            if self._pidfd in ready:
                return True

    def _carry_chunk(self, fd: int) -> bool:
        """Carry one chunk; ``False`` at the end of the stream."""
        try:
            chunk = os.read(fd, CHUNK)
        except BlockingIOError:
            return True
        if chunk:
            self._streams[fd].feed(chunk)
            return True
        os.close(fd)
        del self._streams[fd]
        return False

    def _carry_rest(self) -> None:
        give_up = time.monotonic() + PIPE_GRACE
        while self._streams and (rest := give_up - time.monotonic()) > 0:
            poller = select.poll()
            for fd in self._streams:
                poller.register(fd, select.POLLIN)
            for fd, _ in poller.poll(1000 * rest):
                self._carry_chunk(fd)

    def _end_everything(self, grace: float) -> None:
        session = self._process.pid
        end_tree(lambda: find_tree(TASK_VARIABLE, self._mark, session), grace)

    def _close_pipes(self) -> None:
        for fd in self._streams:
            os.close(fd)
        self._streams.clear()


def _start(command: Command, stdout: int, stderr: int) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            list(command.argv),
            env=dict(command.environment),
            cwd=command.directory,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
    except OSError as error:
        raise CommandFailed(f"cannot start {command.argv[0]}: {error.strerror}; check that it is installed") from None
