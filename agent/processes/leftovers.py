"""What a dead agent has left: found by its token and by what it wrote down of its children, never by number alone."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass

from agent.processes import tree
from agent.processes.delegation import end_groups
from agent.processes.ending import end
from agent.processes.guard import AGENT_VARIABLE, is_guard_or_shim, pause
from agent.processes.guard_process import SHIM_PATIENCE
from agent.processes.tree import Process
from core.clock import boot_id


@dataclass(frozen=True)
class ChildRecord:
    """Names one process for all times: a number is given again, but not at the same moment of the same boot."""

    pid: int
    #: Clock ticks after the boot.
    started: int
    boot_id: str


def record_of(pid: int) -> ChildRecord | None:
    """Return the record of a process; ``None`` when there is none of this number."""
    process = tree.named(pid)
    return ChildRecord(*process, boot_id()) if process else None


def end_leftovers(token: str, children: Iterable[ChildRecord], grace: float) -> int:
    """End every process that carries the agent's token (if one is given), is recorded, or descends from such a one.

    The guard and the shims of the dead agent do the same by themselves; they are given the time for it.

    Args:
        token: Of the dead agent; empty: only what is recorded is ended.
        children: What was written down when its commands were started.
        grace: Seconds between TERM and KILL.

    Returns:
        How many processes of commands were there at first.
    """
    recorded = [(record.pid, record.started) for record in children if record.boot_id == boot_id()]
    mark = f"{AGENT_VARIABLE}={token}".encode() if token else b""

    def everyone() -> list[Process]:
        return _find(mark, recorded)

    def commands() -> list[Process]:
        return [process for process in everyone() if not is_guard_or_shim(process[0])]

    count = len(commands())
    end(commands, grace, pause)
    give_up = time.monotonic() + SHIM_PATIENCE
    while everyone() and (rest := give_up - time.monotonic()) > 0:
        pause(rest)
    end(everyone, 0, pause)
    if token:
        end_groups(token)
    return count


def _find(mark: bytes, recorded: list[Process]) -> list[Process]:
    roots = [process for process in recorded if tree.named(process[0]) == process]
    if mark:
        roots += [process for pid in tree.everybody() if _carries(pid, mark) and (process := tree.named(pid))]
    found = dict.fromkeys(tree.living([*roots, *tree.descendants(*(pid for pid, _ in roots))]))
    if tree.named(os.getpid()) in found:  # this agent was started by a command of the other
        for process in tree.itself():
            found.pop(process, None)
    return list(found)


def _carries(pid: int, mark: bytes) -> bool:
    return mark in tree.read(f"/proc/{pid}/environ").split(b"\0")
