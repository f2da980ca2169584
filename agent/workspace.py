"""The files of one attempt on the local disk, in TaskRunner's layout.

::

    output/logs/<pipelineId>/<component>/<@instance>/<@attempt>/StdOutput | StdError
    output/staging/<pipelineId>_input1_<32 hex>/…     output/staging/<pipelineId>_output1_<32 hex>/…
    output/tmp/<pipelineId>-<32 hex>/<attempt without @>_command.sh

The hexadecimal part is new for each attempt, so a task that is delivered twice never shares a directory. ``tmp`` and
``staging`` are removed at the end; logs stay.
"""

from __future__ import annotations

import re
import secrets
import shutil
from pathlib import Path

from agent.task import Task

STDOUT = "StdOutput"
STDERR = "StdError"
PRIVATE = 0o700
#: Longest name of a file in common file systems, less room for ``_command.sh``.
NAME_LIMIT = 200


class Workspace:
    """Names the directories of an attempt and makes them on demand."""

    def __init__(self, root: Path, task: Task) -> None:
        self._unique = secrets.token_hex(16)
        self._staging = root / "staging"
        pipeline = local_name(task.pipeline_id)
        self._pipeline = pipeline
        self.temporary = root / "tmp" / f"{pipeline}-{self._unique}"
        names = (task.component, task.instance, task.attempt.id)
        self.logs = root.joinpath("logs", pipeline, *map(local_name, names))
        self.script = self.temporary / f"{local_name(task.attempt.id.lstrip('@'))}_command.sh"
        self.result = self.temporary / "result.json"
        self._staged: list[Path] = []

    def create(self) -> None:
        """Make the directories that every attempt needs."""
        self.temporary.mkdir(parents=True, mode=PRIVATE)
        self.logs.mkdir(parents=True, exist_ok=True)

    def staging(self, kind: str, number: int) -> Path:
        """Make and return the directory of ``input`` or ``output`` number ``number`` (from 1)."""
        path = self._staging / f"{self._pipeline}_{kind}{number}_{self._unique}"
        path.mkdir(parents=True, mode=PRIVATE)
        self._staged.append(path)
        return path

    def remove(self) -> None:
        """Remove everything but the logs."""
        self.script.unlink(missing_ok=True)
        for path in (*self._staged, self.temporary):
            try:
                path.rmdir()  # most are empty now, and this is far cheaper
            except OSError:
                shutil.rmtree(path, ignore_errors=True)


def local_name(name: str) -> str:
    """Return an id as one part of a local path: no slash, no NUL, not a dot name, not too long."""
    safe = re.sub(r"[/\0]", "_", name)[:NAME_LIMIT]
    return safe if safe.strip(".") else f"_{safe}"
