"""A contestant of a benchmark as a process, with what it took."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Run:
    """What one process took: wall and CPU seconds, peak resident MB."""

    seconds: float
    cpu: float
    resident: float


def timed(command: Sequence[str], environment: Mapping[str, str], log: Path, folder: Path = ROOT) -> Run:
    """Run a command in a folder, with these variables beside ours; wait for it with its resource use.

    Raises:
        RuntimeError: it failed; the message is the end of what it wrote, which stays in ``log``.
    """
    started = time.monotonic()
    with log.open("wb") as file:
        merged = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
        process = subprocess.Popen(command, stdout=file, stderr=file, env=merged, cwd=folder)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[-1]} failed: {log.read_text(errors='replace')[-2000:]}")
    return Run(time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
