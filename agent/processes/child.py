"""One command with everything that it starts: its output carried to files, ended when it is told to.

The thread that runs the attempt waits here for whichever comes first: output, the end, a stop. A process that leaves
the pipe open elsewhere cannot hold the attempt: after the end of the tree the pipes have ``PIPE_GRACE`` seconds.
"""

from __future__ import annotations

import fcntl
import os
import select
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agent import log
from agent.logs.output import OutputFile
from agent.processes.conditions import AS_THE_AGENT, Conditions
from agent.processes.guard import Guard, guard_gone, kill_hung
from agent.processes.leftovers import ChildRecord, end_leftovers
from agent.processes.wakeup import readable
from agent.processes.wire import LENGTH, End, Launch, Message, Refused, Started, TreeEnded, receive
from agent.stop import StopSignal
from core.clock import boot_id
from core.errors import CommandFailed, CommandKilled, DiskFull, InternalError

CHUNK = 1 << 16  # bytes, the size of a pipe
PIPE_GRACE = 1.0  # seconds
#: A command may write so far ahead of us.
PIPE_SIZE = 1 << 18  # bytes
#: What a command writes is left to gather for so many milliseconds: one wake-up for many lines, not one for each. The
#: shorter time is for commands that write ``MUCH`` bytes in it; one that fills chunks is not waited for at all.
GATHERING, SHORTLY, MUCH = 20, 4, 1 << 14
#: Longest time from asking for a command to its start, in seconds; a machine that needs more is not usable.
START_PATIENCE = 60.0
#: Beyond the grace, before a shim that does not answer is killed, in seconds.
END_PATIENCE = 15.0


@dataclass(frozen=True)
class Command:
    """What to run: program and arguments (no secrets), the whole environment, the working directory."""

    argv: Sequence[str]
    environment: Mapping[str, str]
    directory: Path
    conditions: Conditions = AS_THE_AGENT


class Child:
    """A running command; ``wait`` is called once, by the thread that started it. The files stay open.

    ``on_start`` is told how to find the command again, before anything else happens.

    Raises:
        CommandFailed: it cannot be started; the message says why.
        AgentStopped: the guard has died.
    """

    def __init__(
        self,
        guard: Guard,
        command: Command,
        stdout: OutputFile,
        stderr: OutputFile,
        on_start: Callable[[ChildRecord], None] | None = None,
    ) -> None:
        self._streams: dict[int, OutputFile] = {}
        self._guard = guard
        self._shim: socket.socket | None = None
        try:
            self._started = self._open(command, stdout, stderr)
            self._record = ChildRecord(*self._started.command, boot_id())
            if on_start is not None:
                on_start(self._record)
        except BaseException:
            self._close()
            raise

    def wait(self, stop: StopSignal, grace: float) -> TreeEnded:
        """Carry output until the command and everything it has started are gone; return how that was.

        On a stop, everything is ended: TERM, ``grace`` seconds, KILL.

        Raises:
            DiskFull: its output could not be written; it has been ended.
        """
        try:
            ended = self._carry(stop, grace)
            self._carry_rest()
            if ended.again and self._shim:
                self._guard.give_back(self._shim)
                self._shim = None
        except DiskFull:
            self._end(grace)
            raise
        finally:
            self._close()
        if ended.left:
            log.event("processes_left", level="WARNING", command=self._record.pid, pids=ended.left)
        return ended

    def _open(self, command: Command, stdout: OutputFile, stderr: OutputFile) -> Started:
        """Make the pipes, and start the command with their other ends."""
        writing: list[int] = []
        try:
            for file in (stdout, stderr):
                reading, end = os.pipe()
                os.set_blocking(reading, False)
                with suppress(OSError):  # a user with very many pipes keeps the usual size
                    fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
                self._streams[reading] = file
                writing.append(end)
            return self._start(command, writing)
        finally:
            for end in writing:
                os.close(end)

    def _start(self, command: Command, streams: list[int]) -> Started:
        """Have it started by a shim that waits, else by a new one."""
        while (shim := self._guard.idle_shim()) is not None:
            if (answer := self._ask(shim, command, streams)) is not None:
                return self._started_by(command, answer)
        answer = self._ask(self._guard.new_shim(), command, streams)
        if answer is None:
            raise guard_gone()
        return self._started_by(command, answer)

    def _ask(self, shim: socket.socket, command: Command, streams: list[int]) -> Message | None:
        """Ask a shim to start it; ``None`` when that is not there any more, and so has started nothing."""
        if self._shim:
            self._shim.close()
        self._shim = shim
        frame = _launch(command).packed()
        try:
            socket.send_fds(shim, [frame[:LENGTH]], streams)
            shim.sendall(frame[LENGTH:])
        except (BrokenPipeError, ConnectionResetError):
            return None
        if not readable(shim.fileno(), START_PATIENCE):
            raise InternalError(f"the guard process has not started the command within {START_PATIENCE:.0f} s")
        return receive(shim.fileno())

    def _started_by(self, command: Command, answer: Message) -> Started:
        if isinstance(answer, Refused):
            if self._shim:
                self._guard.give_back(self._shim)
                self._shim = None
            raise CommandFailed(_refusal(command, answer))
        if not isinstance(answer, Started):
            raise CommandKilled("the process that was to start the command was killed")
        return answer

    @property
    def _control(self) -> int:
        return self._shim.fileno() if self._shim else -1

    def _carry(self, stop: StopSignal, grace: float) -> TreeEnded:
        """Carry output until the shim tells the end; pass a stop on to it."""
        poller = select.poll()
        for fd in (*self._streams, self._control, stop.fileno()):
            poller.register(fd, select.POLLIN)
        urgent = select.poll()
        for fd in (self._control, stop.fileno()):
            urgent.register(fd, select.POLLIN)
        give_up: float | None = None
        while True:
            patience = None if give_up is None else max(0.0, give_up - time.monotonic())
            ready = {fd for fd, _ in poller.poll(None if patience is None else patience * 1000)}
            if stop.fileno() in ready:
                poller.unregister(stop.fileno())
                self._tell_end(grace)
                give_up = time.monotonic() + grace + END_PATIENCE
            carried = 0
            for fd in ready & self._streams.keys():
                carried += self._carry_chunk(fd)
                if fd not in self._streams:
                    poller.unregister(fd)
            if self._control in ready:
                return self._ended(receive(self._control), grace)
            if patience == 0.0 and not ready:
                kill_hung(self._started.shim)
                give_up = None
            if 0 < carried < CHUNK:
                urgent.poll(GATHERING if carried < MUCH else SHORTLY)

    def _carry_chunk(self, fd: int) -> int:
        """Carry one chunk and return its size; at its end the stream goes."""
        try:
            chunk = os.read(fd, CHUNK)
        except BlockingIOError:
            return 0
        if chunk:
            self._streams[fd].feed(chunk)
        else:
            os.close(fd)
            del self._streams[fd]
        return len(chunk)

    def _carry_rest(self) -> None:
        give_up = time.monotonic() + PIPE_GRACE
        while self._streams and (rest := give_up - time.monotonic()) > 0:
            poller = select.poll()
            for fd in self._streams:
                poller.register(fd, select.POLLIN)
            for fd, _ in poller.poll(1000 * rest):
                self._carry_chunk(fd)

    def _end(self, grace: float) -> None:
        """End everything; what it still writes is not carried."""
        self._tell_end(grace)
        if not readable(self._control, grace + END_PATIENCE):
            kill_hung(self._started.shim)
        self._ended(receive(self._control), grace)

    def _tell_end(self, grace: float) -> None:
        try:
            End(grace).send(self._control)
        except BrokenPipeError:
            return  # it has just ended: its last message is waiting

    def _ended(self, message: Message | None, grace: float) -> TreeEnded:
        if isinstance(message, TreeEnded):
            return message
        end_leftovers("", [self._record], grace)  # shim and guard have died
        raise guard_gone()

    def _close(self) -> None:
        for fd in self._streams:
            os.close(fd)
        self._streams.clear()
        if self._shim:
            self._shim.close()


def _launch(command: Command) -> Launch:
    conditions, user = command.conditions, command.conditions.user
    return Launch(
        [os.fsencode(word) for word in command.argv],
        os.fsencode(command.directory),
        {os.fsencode(name): os.fsencode(value) for name, value in command.environment.items()},
        conditions.memory_limit,
        conditions.nice,
        conditions.oom_score,
        (user.uid, user.gid, list(user.groups)) if user else None,
    )


def _refusal(command: Command, refused: Refused) -> str:
    why = os.strerror(refused.number)
    name = f" as user {command.conditions.user.name}" if command.conditions.user else ""
    if refused.step == "program":
        return f"cannot start {command.argv[0]}{name}: {why}; check that it is installed"
    if refused.step == "directory":
        return f"cannot enter the working directory {command.directory}{name}: {why}; check its permissions"
    return f"cannot set the {refused.step} of the command: {why}; check the section agent of the configuration"
