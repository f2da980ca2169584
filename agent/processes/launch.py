"""From a shim to the command: a new session, the streams, the conditions, the program.

A command under the agent's own user and niceness is spawned, which costs a tenth of a fork: the shim takes on what the
command is to inherit and gives it back. Another one is forked, since the kernel lets nobody come back from a user.
"""

from __future__ import annotations

import errno
import os
import signal

from agent.processes.cgroup import Cgroup
from agent.processes.tree import read
from agent.processes.wire import Launch, Refused

#: ``typing`` would cost the guard a megabyte; type checkers know this name too.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

#: Signals that Python, the guard or the caller of the agent may have set to be ignored, which a program inherits.
_RESET = (
    *(signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2),
    *(signal.SIGCHLD, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGXFSZ),
)
#: Highest score that the kernel knows (proc(5), oom_score_adj).
_WORST_SCORE = 1000
_OOM_FILE = "/proc/self/oom_score_adj"
NOT_STARTED = 127  # as a shell
#: The step that may be left out.
CGROUP = "cgroup"


class LaunchRefused(Exception):
    """The kernel refused a step on the way to the program."""

    def __init__(self, number: int, step: str) -> None:
        super().__init__(step)
        self.refused = Refused(number, step)


def launch(wanted: Launch, streams: tuple[int, int], cgroup: Cgroup | None) -> int:
    """Start the command and return its process id.

    Raises:
        LaunchRefused: it could not be started.
    """
    if wanted.user or wanted.nice:
        return _fork(wanted, streams, cgroup)
    return _spawn(wanted, streams, cgroup)


def _spawn(wanted: Launch, streams: tuple[int, int], cgroup: Cgroup | None) -> int:
    score = read(_OOM_FILE)
    step = "directory"
    try:
        os.chdir(wanted.directory)
        step = CGROUP
        if cgroup:
            cgroup.enter()
        step = "oom_score"
        _worsen(score, wanted.oom_score)
        step = "program"
        return _spawn_program(wanted, streams)
    except OSError as error:
        raise LaunchRefused(error.errno or errno.EINVAL, step) from None
    finally:
        if wanted.oom_score:
            _write(_OOM_FILE, score)
        if cgroup:
            cgroup.leave()
        os.chdir("/")


def _spawn_program(wanted: Launch, streams: tuple[int, int]) -> int:
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        *((os.POSIX_SPAWN_DUP2, fd, place) for place, fd in enumerate(streams, start=1)),
    ]
    refused: OSError = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    for program in _candidates(wanted):
        try:
            return os.posix_spawn(
                program,
                wanted.argv,
                wanted.environment,
                file_actions=actions,
                setsid=True,
                setsigmask=(),
                setsigdef=_RESET,
            )
        except OSError as error:
            refused = error
    raise refused


def _fork(wanted: Launch, streams: tuple[int, int], cgroup: Cgroup | None) -> int:
    """Start it in two steps; what the kernel refuses comes back through a pipe that the program's beginning closes."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        try:
            _become(wanted, streams, cgroup)
        except LaunchRefused as error:
            os.write(writing, f"{error.refused.number} {error.refused.step}".encode())
        finally:
            os._exit(NOT_STARTED)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        number, _, step = pipe.read().decode().partition(" ")
    if not number:
        return pid
    os.waitpid(pid, 0)
    raise LaunchRefused(int(number), step)


def _become(wanted: Launch, streams: tuple[int, int], cgroup: Cgroup | None) -> None:
    step = "session"
    try:
        os.setsid()
        step = CGROUP
        if cgroup:
            cgroup.enter()
        step = "oom_score"
        _worsen(read(_OOM_FILE), wanted.oom_score)
        step = "nice"
        if wanted.nice:
            os.setpriority(os.PRIO_PROCESS, 0, wanted.nice)
        step = "user"
        if wanted.user:
            _use_user(*wanted.user)
        step = "directory"
        os.chdir(wanted.directory)
        step = "program"
        _use_streams(streams)
        _reset_signals()
        _execute(wanted)
    except OSError as error:
        raise LaunchRefused(error.errno or errno.EINVAL, step) from None


def _use_streams(streams: tuple[int, int]) -> None:
    """Standard input is nothing already: the shim's is."""
    for place, fd in enumerate(streams, start=1):
        os.dup2(fd, place)


def _use_user(uid: int, gid: int, groups: list[int]) -> None:
    os.setgroups(groups)
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


def _reset_signals() -> None:
    for number in _RESET:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _execute(wanted: Launch) -> None:
    """Become the program; returns only by raising OSError."""
    refused: OSError = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    for program in _candidates(wanted):
        try:
            os.execve(program, wanted.argv, wanted.environment)
        except OSError as error:
            refused = error
    raise refused


def _candidates(wanted: Launch) -> Iterator[bytes]:
    """Yield the files that may be the program, by the PATH of its own environment (execvp(3))."""
    program = wanted.argv[0]
    if b"/" in program:
        yield program
        return
    for place in wanted.environment.get(b"PATH", os.fsencode(os.defpath)).split(b":"):
        path = os.path.join(place, program)
        if os.access(path, os.X_OK) and not os.path.isdir(path):
            yield path


def _worsen(score: bytes, by: int) -> None:
    if by:
        _write(_OOM_FILE, b"%d" % min(_WORST_SCORE, int(score) + by))


def _write(path: str, value: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    os.write(fd, value)
    os.close(fd)
