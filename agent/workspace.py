"""The files of one attempt on the local disk, in TaskRunner's layout.

::

    output/logs/<pipelineId>/<component>/<@instance>/<@attempt>/StdOutput | StdError
    output/staging/<pipelineId>_input1_<32 hex>/…     output/staging/<pipelineId>_output1_<32 hex>/…
    output/tmp/<pipelineId>-<32 hex>/<attempt without @>_command.sh

The hexadecimal part is new for each attempt, so a task that is delivered twice never shares a directory; its first
half is the token of the agent process, by which the guard finds what a killed agent has left. ``tmp`` and ``staging``
are removed at the end; logs stay.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import tempfile
from pathlib import Path

from agent import log
from agent.processes.user import User
from agent.report import fit
from agent.task import DIGEST_LENGTH, Task
from core.errors import SettingsError

STDOUT = "StdOutput"
STDERR = "StdError"
PRIVATE = 0o700
#: Others may go through, not look around.
ENTERABLE = 0o711
#: Longest name of a file in common file systems (255 bytes), less room for what is put before and behind it.
NAME_LIMIT = 200  # bytes


class Workspace:
    """Names the directories of an attempt and makes them on demand."""

    def __init__(self, root: Path, task: Task, agent_token: str) -> None:
        self._unique = agent_token + secrets.token_hex(8)
        self._staging = root / "staging"
        pipeline = local_name(task.pipeline_id)
        self._pipeline = pipeline
        #: Where the command runs, with its script and its result.
        self.temporary = root / "tmp" / f"{pipeline}-{self._unique}"
        names = (task.component, task.instance, task.attempt.id)
        self.logs = root.joinpath("logs", pipeline, *map(local_name, names))
        self.script = self.temporary / f"{local_name(task.attempt.id.lstrip('@'))}_command.sh"
        self.result = self.temporary / "result.json"
        #: What is not for the command: the same directory, while that is the agent's own.
        self.private = self.temporary
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

    def give_to(self, user: User) -> None:
        """Let the command, which runs as ``user``, have what is there; only the agent gets into ``private``."""
        self.private = self.temporary.with_name(f"{self.temporary.name}_private")
        self.private.mkdir(mode=PRIVATE)
        for path in (*self._staged, self.temporary):
            path.parent.chmod(ENTERABLE)
            for entry in (path, *path.rglob("*")):
                os.chown(entry, user.uid, user.gid, follow_symlinks=False)

    def remove(self) -> None:
        """Remove everything but the logs; what cannot be removed is logged."""
        try:
            self.script.unlink(missing_ok=True)
        except OSError as error:
            log.event("workspace_not_removed", level="WARNING", path=str(self.script), error=str(error))
        for path in {*self._staged, self.temporary, self.private}:
            try:
                path.rmdir()  # most are empty now, and this is far cheaper
            except OSError:
                shutil.rmtree(path, ignore_errors=True)


def make_root(root: Path) -> None:
    """Make the agent's ``output`` directory, if it is not there.

    Raises:
        SettingsError: it cannot be made, or not be written to.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root):
            pass
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise SettingsError(f"the output directory {root} cannot be written ({why}); check --output") from None


def local_name(name: str) -> str:
    """Return an id as one part of a local path: no slash, no NUL, not a dot name, not too long.

    A name that had to be changed ends with a digest of the id, so that two ids never share a path.
    """
    safe = re.sub(r"[/\0]", "_", name)
    if safe == name and safe.strip(".") and len(safe.encode()) <= NAME_LIMIT:
        return safe
    mark = hashlib.sha256(name.encode()).hexdigest()[:DIGEST_LENGTH]
    return f"{fit(safe, NAME_LIMIT - DIGEST_LENGTH - 1)}_{mark}"
