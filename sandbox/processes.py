"""Processes that outlive the command that started them: started detached, recognised for certain, ended for certain.

A process id alone proves nothing, since the kernel uses it again. A record therefore also holds the kernel's start
time of the process in clock ticks since boot (``/proc/<pid>/stat``, field 22, see proc(5)), which no clock change
moves, and a process counts as ours only when its command line still names the directory it was started for.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_KILL_WAIT = 10.0  # seconds in which the kernel removes a killed process
_POLL_INTERVAL = 0.01  # seconds between two looks at a process that is to end


@dataclass(frozen=True)
class ProcessRecord:
    """What is remembered of a process: its id, its start in clock ticks since boot, the directory it serves."""

    pid: int
    start_ticks: int
    directory: str


def spawn(
    argv: Sequence[str | Path], *, directory: Path, log: Path, environment: Mapping[str, str] | None = None
) -> tuple[subprocess.Popen[bytes], ProcessRecord]:
    """Start ``argv`` in its own session with its output appended to ``log``.

    ``argv`` must name ``directory`` or something in it; that is how the process is recognised later.

    Raises:
        OSError: the program cannot be started.
    """
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as output:
        child = subprocess.Popen(
            [str(word) for word in argv],
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
    return child, ProcessRecord(child.pid, _start_ticks(child.pid) or 0, str(directory))


def find(record: ProcessRecord) -> psutil.Process | None:
    """Return the recorded process if it still runs; a stranger that got its id, or a zombie, is not it."""
    try:
        process = psutil.Process(record.pid)
        ours = any(record.directory in word for word in process.cmdline())
    except psutil.Error:
        return None
    return process if ours and _lives(process) and _start_ticks(record.pid) == record.start_ticks else None


def end(process: psutil.Process, *, first: signal.Signals = signal.SIGTERM, grace: float = 10.0) -> None:
    """End a process and everything it started: signal ``first``, then KILL for what is left after ``grace`` seconds."""
    family = [process, *_children(process)]
    _send(process, first)
    for survivor in _await_end(family, grace):
        _send(survivor, signal.SIGKILL)
    _await_end(family, _KILL_WAIT)


def kill_orphans(name: str, folder: Path) -> None:
    """Kill every process called ``name`` that works in ``folder``, and wait until they are gone."""
    place = str(folder.resolve())
    found = [process for process in psutil.process_iter() if _works_in(process, name, place)]
    for process in found:
        _send(process, signal.SIGKILL)
    _await_end(found, _KILL_WAIT)


def _works_in(process: psutil.Process, name: str, folder: str) -> bool:
    try:
        return process.name() == name and process.cwd() == folder
    except psutil.Error:
        return False


def _await_end(family: Sequence[psutil.Process], timeout: float) -> list[psutil.Process]:
    """Wait until none of the processes lives; return those that still do after ``timeout`` seconds.

    ``psutil.wait_procs`` would also wait for zombies, which a container whose first process does not reap keeps.
    """
    deadline = time.monotonic() + timeout
    while (left := [process for process in family if _lives(process)]) and time.monotonic() < deadline:
        time.sleep(_POLL_INTERVAL)
    return left


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _send(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


def _start_ticks(pid: int) -> int | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[19])  # field 22; the name in brackets may hold anything
