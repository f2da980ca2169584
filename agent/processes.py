"""Ending everything that an attempt has started: TERM, a grace, KILL.

A process belongs to an attempt (or an agent) when it is in the session of the attempt's child, when it carries the
mark in its environment, or when it descends from such a process. So a descendant that left the group (``setsid``, a
daemon) is found too. psutil is loaded only when there is something to end.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

#: Rounds of KILL after the grace: a process may start another one while it is being ended.
KILL_ROUNDS = 20
KILL_WAIT = 0.5  # seconds a round waits
LOOK_INTERVAL = 0.02  # seconds
#: States of a process in /proc that say that it is no more.
_DEAD = frozenset({b"Z", b"X", b"x"})


def find_tree(variable: str, value: str, session: int | None = None) -> list[psutil.Process]:
    """Return the living processes that carry ``variable=value``, are in ``session``, or descend from one of these."""
    import psutil

    everyone = [entry for entry in psutil.process_iter() if entry.pid != os.getpid()]
    found = {entry.pid: entry for entry in everyone if _belongs(entry, variable, value, session)}
    grown = True
    while grown:
        grown = False
        for entry in everyone:
            if entry.pid not in found and _parent(entry) in found:
                found[entry.pid] = entry
                grown = True
    return [entry for entry in found.values() if _lives(entry)]


def end_tree(find: Callable[[], list[psutil.Process]], grace: float) -> int:
    """End what ``find`` finds: TERM, up to ``grace`` seconds, then KILL until nothing is left.

    Returns:
        How many processes were there at first.
    """
    first = find()
    _signal(first, signal.SIGTERM)
    _await_end(first, grace)
    for _ in range(KILL_ROUNDS):
        left = find()
        if not left:
            break
        _signal(left, signal.SIGKILL)
        _await_end(left, KILL_WAIT)
    return len(first)


def group_lives(group: int) -> bool:
    """Return whether a process of this group still runs.

    A dead one does not count: in a container the first process may reap orphans late, or never.
    """
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return any(_in_group(entry, group) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def end_group(group: int, grace: float) -> None:
    """End a process group whose leader has ended already: TERM, up to ``grace`` seconds, KILL."""
    for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, KILL_WAIT)):
        try:
            os.killpg(group, number)
        except (ProcessLookupError, PermissionError):
            return
        give_up = time.monotonic() + patience
        while lives := group_lives(group):
            if time.monotonic() >= give_up:
                break
            time.sleep(LOOK_INTERVAL)
        if not lives:
            return


def _in_group(process: Path, group: int) -> bool:
    try:
        state, _parent, member_of = (process / "stat").read_bytes().rpartition(b") ")[2].split()[:3]
    except OSError:
        return False  # it has just ended
    return int(member_of) == group and state not in _DEAD


def _await_end(processes: list[psutil.Process], patience: float) -> None:
    """Wait until all are dead; that nobody has reaped them yet does not matter."""
    give_up = time.monotonic() + patience
    while any(map(_lives, processes)) and time.monotonic() < give_up:
        time.sleep(LOOK_INTERVAL)


def _belongs(entry: psutil.Process, variable: str, value: str, session: int | None) -> bool:
    import psutil

    try:
        if session is not None and os.getsid(entry.pid) == session:
            return True
        return entry.environ().get(variable) == value
    except (psutil.Error, OSError):
        return False  # it has ended, or belongs to another user and so is not ours


def _parent(entry: psutil.Process) -> int:
    import psutil

    try:
        return entry.ppid()
    except psutil.Error:
        return 0


def _lives(entry: psutil.Process) -> bool:
    import psutil

    try:
        return entry.is_running() and entry.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _signal(processes: list[psutil.Process], number: signal.Signals) -> None:
    import psutil

    for entry in processes:
        try:
            entry.send_signal(number)
        except psutil.Error:
            continue  # it has just ended, or changed its user: the next round sees
