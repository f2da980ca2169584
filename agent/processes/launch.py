"""From a shim to the command: a new session, the streams, the conditions, the program.

What the kernel refuses comes back to the shim through a pipe that closes when the program has begun.
"""

from __future__ import annotations

import errno
import os
import signal

from agent.processes.tree import read
from agent.processes.wire import Launch, Refused

#: Signals that Python, the guard or the caller of the agent may have set to be ignored, which a program inherits.
_RESET = (
    *(signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2),
    *(signal.SIGCHLD, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGXFSZ),
)
#: Highest score that the kernel knows (proc(5), oom_score_adj).
_WORST_SCORE = 1000
_OOM_FILE = "/proc/self/oom_score_adj"
NOT_STARTED = 127  # as a shell


class LaunchRefused(Exception):
    """The kernel refused a step on the way to the program."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.step)
        self.refused = refused


def launch(wanted: Launch, stdout: int, stderr: int, entrance: str | None) -> int:
    """Start the command and return its process id; ``entrance`` is the file that lets it into its cgroup.

    Raises:
        LaunchRefused: it could not be started.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        try:
            _become(wanted, stdout, stderr, entrance)
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
    raise LaunchRefused(Refused(int(number), step))


def _become(wanted: Launch, stdout: int, stderr: int, entrance: str | None) -> None:
    step = "session"
    try:
        os.setsid()
        step = "streams"
        _use_streams(stdout, stderr)
        step = "cgroup"
        if entrance:
            _write(entrance, b"0")
        step = "oom_score"
        if wanted.oom_score:
            _write(_OOM_FILE, b"%d" % min(_WORST_SCORE, int(read(_OOM_FILE)) + wanted.oom_score))
        step = "nice"
        if wanted.nice:
            os.setpriority(os.PRIO_PROCESS, 0, wanted.nice)
        step = "user"
        if wanted.user:
            _use_user(*wanted.user)
        step = "directory"
        os.chdir(wanted.directory)
        step = "program"
        _reset_signals()
        _execute(wanted.argv, wanted.environment)
    except OSError as error:
        raise LaunchRefused(Refused(error.errno or errno.EINVAL, step)) from None


def _use_streams(stdout: int, stderr: int) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    for fd, place in ((null, 0), (stdout, 1), (stderr, 2)):
        os.dup2(fd, place)


def _use_user(uid: int, gid: int, groups: list[int]) -> None:
    os.setgroups(groups)
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


def _reset_signals() -> None:
    for number in _RESET:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _execute(argv: list[bytes], environment: dict[bytes, bytes]) -> None:
    """Become the program, found on the PATH of its own environment (execvp(3)); returns only by raising OSError."""
    program = argv[0]
    if b"/" in program:
        os.execve(program, argv, environment)
    refused: OSError = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    for place in environment.get(b"PATH", os.fsencode(os.defpath)).split(b":"):
        try:
            os.execve(os.path.join(place, program), argv, environment)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            refused = error
    raise refused


def _write(path: str, value: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    os.write(fd, value)
    os.close(fd)
