"""Runs a program of the user's to its end, in a session of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from core.cancelling import on_cancel
from core.errors import ActivityTimedOut, CommandFailed, CommandKilled
from steps_impl.activities.cluster.ending import end_tree
from steps_impl.activities.cluster.output import Copier
from steps_impl.contract import StepContext

#: Lines of standard error that an error message holds, and characters of one.
_LINES, _WIDTH = 8, 300


@dataclass(frozen=True)
class Ending:
    """How a program ended by itself: its exit status, and the last lines of its standard error."""

    title: str
    status: int
    lines: tuple[str, ...]

    def __str__(self) -> str:
        said = f"; its last lines: {' | '.join(self.lines)}" if self.lines else " and said nothing on standard error"
        return f"{self.title} ended with exit status {self.status}{said}"

    def check(self) -> None:
        """Raise ``CommandFailed`` for another status than 0."""
        if self.status:
            raise CommandFailed(str(self))


def run_program(
    argv: Sequence[str | Path],
    title: str,
    directory: Path,
    environment: Mapping[str, str],
    context: StepContext,
    limit: float | None = None,
) -> Ending:
    """Run a program and return how it ended; its output is ours. What it leaves running is ended.

    Args:
        argv: Program and arguments.
        title: What messages call it.
        directory: Where it runs.
        environment: All that it gets.
        context: The step's; on its cancel the program and all that it started get TERM, then KILL.
        limit: Seconds that it may take.

    Raises:
        CommandFailed, CommandKilled: it could not be started, or was killed by a signal that was not ours.
        ActivityTimedOut: it took longer than ``limit``; it and all that it started have ended.
        InterruptedError: the step was asked to stop; likewise.
    """
    if context.cancelled.is_set():
        raise InterruptedError(f"{title} was not started")
    sys.stdout.flush()
    process = _start(argv, title, directory, environment)
    assert process.stderr is not None
    tail: deque[str] = deque(maxlen=_LINES)
    copier = Copier(process.stderr, sys.stderr.buffer, partial(_keep, tail))
    try:
        with _ended_with_us(process), on_cancel(context.cancelled, partial(_end, process)):
            status = process.wait(limit)
    except subprocess.TimeoutExpired:
        _end(process)
        raise ActivityTimedOut(f"{title} took longer than its time limit of {limit:g} s and was ended") from None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        copier.finish()
    if context.cancelled.is_set():
        raise InterruptedError(f"{title} was asked to stop")
    if status < 0:
        raise CommandKilled(f"{title} was killed by signal {-status}, which was not ours")
    return Ending(title, status, tuple(tail))


def _start(
    argv: Sequence[str | Path], title: str, directory: Path, environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [*map(str, argv)],
            cwd=directory,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise CommandFailed(f"{title} cannot be started: {error.strerror} ({argv[0]})") from None


@contextmanager
def _ended_with_us(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Kill the program's session when this process dies, by ``kill -9`` too: at the end of a pipe that only we hold."""
    reading, writing = os.pipe()
    watch = ["/bin/sh", "-c", 'read -r _; kill -KILL "-$0"', str(process.pid)]
    quiet = subprocess.DEVNULL
    watcher = subprocess.Popen(watch, stdin=reading, stdout=quiet, stderr=quiet, start_new_session=True)
    os.close(reading)
    try:
        yield
    finally:
        watcher.kill()
        watcher.wait()
        os.close(writing)


def _end(process: subprocess.Popen[bytes]) -> None:
    end_tree(process)
    process.wait()


def _keep(tail: deque[str], line: str) -> None:
    if kept := line.rstrip():
        tail.append(kept if len(kept) <= _WIDTH else kept[: _WIDTH - 1] + "…")
