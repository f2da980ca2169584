"""Takes secrets out of this process's command line, which every user of the machine can read."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

#: Field of ``/proc/<pid>/stat`` (proc(5): 48, arg_start) counted from the state, which follows the name.
_ARG_START = 45


def hide(secrets: Iterable[str | None]) -> None:
    """Overwrite these values of flags with ``*``, where ``ps`` and ``/proc`` read them; Python's copy stays.

    They can be read until this is called: the right place for a secret is a file, the environment or a role.
    """
    values = [os.fsencode(secret) for secret in secrets if secret]
    if not values:
        return
    start = int(Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[_ARG_START])
    line = Path("/proc/self/cmdline").read_bytes()
    if not start or ctypes.string_at(start, len(line)) != line:
        return  # the kernel does not say where it is, or somebody has moved it
    position = 0
    for argument in line.split(b"\0"):
        position += len(argument)
        for value in values:
            if argument == value or argument.endswith(b"=" + value):
                ctypes.memset(start + position - len(value), ord("*"), len(value))
        position += 1
