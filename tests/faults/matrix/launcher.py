"""``python launcher.py STRIKE -- ductrunner words…``: the real command, with one strike at one moment of its life.

``STRIKE`` is the JSON of a :class:`Strike`. The product knows nothing of this: functions of it are wrapped by name
before its command line runs, in the process that is the agent.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import itertools
import json
import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TASK_MARK = b"DUCTRUNNER_TASK_ID="
AGENT_MARK = b"DUCTRUNNER_AGENT="
BLOCK = 4096  # bytes, of a file system


@dataclass(frozen=True)
class Strike:
    """What happens at which moment; ``sign`` is the file that tells the test that it has."""

    function: str
    when: str
    number: int
    within: str | None
    action: str
    sign: str
    #: What the action needs: the service's process id, or the directory of the disk to fill.
    target: str = ""


def resolve(function: str) -> tuple[Any, str, Callable[..., Any]]:
    """Return the owner of a function, its name there, and itself."""
    module, _, path = function.partition(":")
    *owners, name = path.split(".")
    owner = functools.reduce(getattr, owners, importlib.import_module(module))
    return owner, name, getattr(owner, name)


def arm(strike: Strike) -> None:
    """Wrap the function, so that the strike falls once, at its moment."""
    owner, name, original = resolve(strike.function)
    passings = itertools.count(1)
    inside = _watch(strike.within) if strike.within else None
    lock = threading.Lock()

    def strike_now() -> None:
        if inside is not None and not inside.is_set():
            return
        with lock:
            due = next(passings) == strike.number
        if due:
            ACTIONS[strike.action](strike)

    @functools.wraps(original)
    def wrapped(*words: Any, **named: Any) -> Any:
        if strike.when == "before":
            strike_now()
        answer = original(*words, **named)
        if strike.when == "after":
            strike_now()
        return answer

    setattr(owner, name, wrapped)


def _watch(function: str) -> threading.Event:
    owner, name, original = resolve(function)
    inside = threading.Event()

    @functools.wraps(original)
    def wrapped(*words: Any, **named: Any) -> Any:
        inside.set()
        try:
            return original(*words, **named)
        finally:
            inside.clear()

    setattr(owner, name, wrapped)
    return inside


def processes_with(mark: bytes) -> list[int]:
    """Return the processes that carry a mark in their environment, but for this one."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                marked = any(line.startswith(mark) for line in (entry / "environ").read_bytes().split(b"\0"))
            except OSError:
                continue  # it has just ended
            if marked:
                found.append(int(entry.name))
    return found


def kill(pids: list[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def descendants() -> list[int]:
    """Return all that this process has started, the guard included, the children's children too."""
    import psutil

    return [entry.pid for entry in psutil.Process().children(recursive=True)]


def _said(strike: Strike) -> None:
    Path(strike.sign).touch()


def kill_agent(strike: Strike) -> None:
    _said(strike)
    os.kill(os.getpid(), signal.SIGKILL)


def kill_child(strike: Strike) -> None:
    """Kill every process of the attempt, as the out-of-memory killer of a cgroup does."""
    ours = set(descendants())
    kill([pid for pid in processes_with(TASK_MARK) if pid in ours])
    _said(strike)


def kill_everything(strike: Strike) -> None:
    """Kill guard, child and agent, as the loss of a machine's power does."""
    _said(strike)
    kill(descendants())
    os.kill(os.getpid(), signal.SIGKILL)


def kill_service(strike: Strike) -> None:
    kill([int(strike.target)])
    _said(strike)


def stop_agent(strike: Strike) -> None:
    _said(strike)
    os.kill(os.getpid(), signal.SIGSTOP)


def wait(strike: Strike) -> None:
    """Hold this thread until the test removes the sign."""
    _said(strike)
    pause = select.poll()  # not time.sleep, which libfaketime breaks when its clock jumps
    while Path(strike.sign).exists():
        pause.poll(10)


def fill_disk(strike: Strike) -> None:
    """Take every block that is left, down to the last."""
    with (Path(strike.target) / "filling").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * BLOCK)
    _said(strike)


ACTIONS: dict[str, Callable[[Strike], None]] = {
    "kill-agent": kill_agent,
    "kill-child": kill_child,
    "kill-everything": kill_everything,
    "kill-service": kill_service,
    "stop-agent": stop_agent,
    "fill-disk": fill_disk,
    "wait": wait,
}


def main() -> None:
    """Arm the strike and become the command."""
    arm(Strike(**json.loads(sys.argv[1])))
    sys.argv = sys.argv[3:]
    from ductrunner.cli import main as command

    command()


if __name__ == "__main__":
    main()
