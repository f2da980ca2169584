"""The script of an activity: written or fetched, and the program that reads it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from agent.plan import Script
from core.errors import NotFound, ScriptNotFound

if TYPE_CHECKING:
    from stores.s3 import S3Store

#: A script without a ``#!`` line is read by bash, as TaskRunner's managed machines do.
SHELL = ("bash",)
FIRST_LINE_LIMIT = 256  # bytes, as the kernel's


def prepare_script(script: Script, store: Callable[[], S3Store]) -> tuple[str, ...]:
    """Put the script on the disk, readable by us only, and return the command that runs it.

    Raises:
        ScriptNotFound: there is nothing at the ``scriptUri``.
    """
    if script.uri is not None:
        try:
            store().download_file(script.uri, script.path)
        except NotFound as error:
            raise ScriptNotFound(f"scriptUri names a script that is not there: {error}") from None
        script.path.chmod(0o700)
    else:
        handle = os.open(script.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(script.text or "")
    return (*interpreter(script.path), str(script.path))


def interpreter(path: Path) -> tuple[str, ...]:
    """Return the program of the ``#!`` line and its one argument, else bash.

    The line is read here, and the file never executed itself: the disk may be mounted ``noexec``.
    """
    with path.open("rb") as file:
        line = file.readline(FIRST_LINE_LIMIT)
    if not line.startswith(b"#!"):
        return SHELL
    return tuple(os.fsdecode(line[2:]).strip().split(maxsplit=1)) or SHELL
