"""The program that reads a script, by the script's first line."""

from __future__ import annotations

import os

#: A script without a ``#!`` line is read by bash, as TaskRunner's managed machines do.
SHELL = ("bash",)
FIRST_LINE_LIMIT = 256  # bytes, as the kernel's


def interpreter(beginning: bytes) -> tuple[str, ...]:
    """Return the program of a script's ``#!`` line and its one argument, else bash.

    The line is read here, and the file never executed itself: the disk may be mounted ``noexec``.
    """
    line = beginning.partition(b"\n")[0]
    if not line.startswith(b"#!"):
        return SHELL
    return tuple(os.fsdecode(line[2:]).strip().split(maxsplit=1)) or SHELL
