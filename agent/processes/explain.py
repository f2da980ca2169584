"""How the processes of an attempt ended, in words: exit status, signal, core file, want of memory."""

from __future__ import annotations

import signal
from pathlib import Path

from agent.processes.child import Command
from agent.processes.core_file import describe_core
from agent.processes.oom import last_victim
from agent.processes.wire import TreeEnded
from agent.report import SHELL_SIGNAL_BASE, exit_error, signal_name
from agent.usage import Usage, megabytes
from core.errors import CommandKilled, DuctrunnerError, MemoryExhausted

_KILLED = frozenset({-signal.SIGKILL, SHELL_SIGNAL_BASE + signal.SIGKILL})


def usage_of(ended: TreeEnded) -> Usage:
    """Return what the processes have used."""
    return Usage(ended.cpu, ended.peak, ended.status)


def explain(ended: TreeEnded, command: Command, logs: Path, began: float) -> DuctrunnerError:
    """Return the error of a command that did not end with 0; a core file of it is moved to its ``logs``.

    ``began``: when, in ``time.time()``.
    """
    if ended.lost:
        how = f"ended by {signal_name(ended.lost) or f'signal {ended.lost}'}" if ended.lost > 0 else "broken"
        return CommandKilled(f"the process that watches over the command was {how}; the command was ended with it")
    if why := _want_of_memory(ended, command, began):
        return MemoryExhausted(why)
    error = exit_error(ended.status)
    return type(error)(f"{error}{describe_core(ended, command.directory, logs, began)}")


def _want_of_memory(ended: TreeEnded, command: Command, began: float) -> str:
    limit = command.conditions.memory_limit
    allowed = f"the limit of {megabytes(limit)} (agent.memory_limit)" if limit else "there was"
    if ended.over:
        return f"the command and what it started used {megabytes(ended.over)} of memory, more than {allowed}"
    if ended.group_kills:
        return f"the command and what it started needed more memory than {allowed}; the kernel has ended it"
    if ended.machine_kills and ended.status in _KILLED:
        victim = last_victim(began) or "a process of this machine"
        return f"the kernel ran out of memory and ended {victim}; run fewer attempts at once, or give it more memory"
    return ""
