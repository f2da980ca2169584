"""Where the agents of this machine may be asked: a small file for each, ``agent-<pid>.json``.

It lies in the agent's output directory and in the run directory of the machine (``$RUNTIME_DIRECTORY`` of systemd,
``/run/ductrunner`` for root, else ``$XDG_RUNTIME_DIR/ductrunner``). A file whose process (pid and start time) is no
more was left by an agent that was killed; nobody believes it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agent import log
from agent.health import proc

SYSTEM_RUN = Path("/run/ductrunner")
#: It holds no secret, and anybody on the machine may ask the endpoint.
_MODE = 0o644


@dataclass(frozen=True)
class Entry:
    """One agent."""

    pid: int
    #: Clock ticks since the boot, as proc(5) has them.
    started: int
    #: ``host:port``.
    address: str
    worker_group: str


def run_directories(environment: Mapping[str, str]) -> list[Path]:
    """Return where agents of this user may have left their files."""
    own = environment.get("XDG_RUNTIME_DIR")
    return [SYSTEM_RUN, *([Path(own, "ductrunner")] if own else [])]


@contextmanager
def announced(entry: Entry, output: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """Keep the files of this agent while the block runs; one that cannot be written is logged."""
    paths = [directory / f"agent-{entry.pid}.json" for directory in (output, *_run_directory(environment))]
    for path in paths:
        try:
            _write(path, entry)
        except OSError as error:
            log.event("address_not_written", level="WARNING", path=str(path), error=str(error))
    try:
        yield
    finally:
        for path in paths:
            with suppress(OSError):
                path.unlink(missing_ok=True)


def living(directories: Iterable[Path]) -> list[Entry]:
    """Return the agents that run now, each once, in the order of their pids."""
    found = {}
    for directory in directories:
        for path in sorted(directory.glob("agent-*.json")):
            entry = _read(path)
            if entry is not None and proc.started(entry.pid) == entry.started:
                found[entry.pid] = entry
    return [found[pid] for pid in sorted(found)]


def _run_directory(environment: Mapping[str, str]) -> list[Path]:
    """Return where this agent's file goes beside its output directory."""
    if given := environment.get("RUNTIME_DIRECTORY"):
        return [Path(given.partition(":")[0])]
    if os.geteuid() == 0:
        return [SYSTEM_RUN]
    return run_directories(environment)[1:]


def _write(path: Path, entry: Entry) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    for other in path.parent.glob("agent-*.json"):
        left = _read(other)
        if left is None or proc.started(left.pid) != left.started:
            other.unlink(missing_ok=True)
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(asdict(entry)), encoding="utf-8")
    draft.chmod(_MODE)
    draft.replace(path)


def _read(path: Path) -> Entry | None:
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
        return Entry(**document)
    except (OSError, ValueError, TypeError):
        return None
