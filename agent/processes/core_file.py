"""The core file (core(5)) that the kernel has written of a command: found, kept beside the logs, named."""

from __future__ import annotations

import os
import re
import shutil
import signal
import stat
from pathlib import Path

from agent import log
from agent.processes.wire import TreeEnded
from agent.report import SHELL_SIGNAL_BASE

NAME = "core"
#: Readable by the agent's user only: a core file holds everything that the program knew.
_PRIVATE = 0o600
_PATTERN = Path("/proc/sys/kernel/core_pattern")
_SPECIFIER = re.compile(r"(%.|\*)+")
#: Signals whose default is a core file (signal(7)).
_DUMPING = frozenset(
    [
        *(signal.SIGQUIT, signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGBUS),
        *(signal.SIGFPE, signal.SIGSEGV, signal.SIGXCPU, signal.SIGXFSZ, signal.SIGSYS),
    ]
)
#: How an ELF file of type ET_CORE begins, and where its type stands (elf(5)).
_ELF = b"\x7fELF"
_TYPE_AT, _CORE_TYPE = 16, 4


def describe_core(ended: TreeEnded, directory: Path, logs: Path, began: float) -> str:
    """Return, for the error message, where the core file is or went; empty when there is none.

    A shell reports a program of its own that has dumped core by its exit status only, so a file decides then.
    """
    if not ended.core and ended.status - SHELL_SIGNAL_BASE not in _DUMPING:
        return ""
    pattern = _PATTERN.read_text(encoding="utf-8").strip()
    if pattern.startswith("|"):
        handler = pattern[1:].split()[0]
        return f"; its core went to {handler}, see coredumpctl or that program" if ended.core else ""
    found = _newest(directory, pattern, began)
    if found is None:
        return f"; its core was written by the pattern {pattern!r}" if ended.core else ""
    return f"; its core file is {found if pattern.startswith('/') else _kept(found, logs)}"


def _newest(directory: Path, pattern: str, began: float) -> Path | None:
    root = Path("/") if pattern.startswith("/") else directory
    candidates = root.glob(_SPECIFIER.sub("*", pattern.lstrip("/") + "%p"))
    cores = [(path.lstat().st_mtime, path) for path in candidates if _is_core(path)]
    return max((core for core in cores if core[0] >= began), default=(0.0, None))[1]


def _is_core(path: Path) -> bool:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    with os.fdopen(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return False
        head = file.read(_TYPE_AT + 2)
    return head.startswith(_ELF) and _CORE_TYPE in head[_TYPE_AT:]


def _kept(path: Path, logs: Path) -> Path:
    """Move the file to the logs, which outlive the attempt's directory."""
    target = logs / NAME
    try:
        shutil.move(path, target)
        os.chown(target, os.geteuid(), os.getegid())
        target.chmod(_PRIVATE)
    except OSError as error:
        log.event("core_not_kept", level="WARNING", path=str(path), error=error.strerror)
        return path
    return target
