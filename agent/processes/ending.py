"""Ending processes: TERM, a grace, then KILL in rounds until none is left."""

from __future__ import annotations

import signal
import time

from agent.processes.tree import Process, send

#: ``typing`` would cost the guard a megabyte; type checkers know this name too.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

#: Rounds of KILL after the grace: a process may start another one while it is being ended.
KILL_ROUNDS = 20
KILL_WAIT = 0.5  # seconds a round waits
#: Looks for processes that were started while the others were being stopped.
FREEZE_LOOKS = 50


def end(
    left: Callable[[], list[Process]],
    grace: float,
    pause: Callable[[float], None],
    kill_at_once: Callable[[], None] | None = None,
) -> list[Process]:
    """End what ``left`` returns, until it returns nothing.

    Args:
        left: Those that still live.
        grace: Seconds between TERM and KILL.
        pause: Waits up to so many seconds, or until it is worth another look.
        kill_at_once: Kills them all in one step, where there is a way.

    Returns:
        Those that could not be ended: they belong to somebody else, or hang in the kernel.
    """
    if grace > 0 and (found := left()):
        for number in (signal.SIGTERM, signal.SIGCONT):  # a stopped process feels nothing but KILL and CONT
            _signal(found, number)
        _await_end(left, grace, pause)
    for _ in range(KILL_ROUNDS):
        if not left():
            break
        if kill_at_once is not None:
            kill_at_once()
        _signal(_freeze(left), signal.SIGKILL)
        _await_end(left, KILL_WAIT, pause)
    return left()


def _freeze(left: Callable[[], list[Process]]) -> list[Process]:
    """Stop them one by one until nobody is left who could start another."""
    stopped: dict[Process, None] = {}
    for _ in range(FREEZE_LOOKS):
        fresh = [process for process in left() if process not in stopped]
        if not fresh:
            break
        _signal(fresh, signal.SIGSTOP)
        stopped.update(dict.fromkeys(fresh))
    return list(stopped)


def _await_end(left: Callable[[], list[Process]], patience: float, pause: Callable[[float], None]) -> None:
    give_up = time.monotonic() + patience
    while left() and (rest := give_up - time.monotonic()) > 0:
        pause(rest)


def _signal(processes: list[Process], number: int) -> None:
    for process in processes:
        send(process, number)
