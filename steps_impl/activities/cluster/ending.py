"""Ends a program with everything that it has started."""

from __future__ import annotations

import subprocess
from contextlib import suppress

import psutil

#: Seconds between TERM and KILL; the worker gives the whole step ten.
GRACE = 4.0


def end_tree(process: subprocess.Popen[bytes], grace: float = GRACE) -> None:
    """Send TERM to the program and all its descendants, after ``grace`` seconds KILL to those that are left."""
    family: list[psutil.Process] = []
    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(process.pid)
        family = [parent, *parent.children(recursive=True)]
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.terminate()
    _, left = psutil.wait_procs(family, timeout=grace)
    for member in left:
        with suppress(psutil.NoSuchProcess):
            member.kill()
