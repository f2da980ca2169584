"""The logs of an attempt in S3: ``<pipelineLogUri>/<pipelineId>/<component>/<@instance>/<@attempt>/StdOutput``.

Keys are joined as they are: a double slash inside ``pipelineLogUri`` stays. A failed upload never fails the attempt.
"""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent import log
from agent.logs.output import OutputFile
from agent.task import Task
from agent.workspace import STDERR, STDOUT, Workspace
from core.errors import DuctrunnerError, StagingFailed

if TYPE_CHECKING:
    from stores.s3 import S3Store


def log_uri(root: str | None, task: Task) -> str | None:
    """Return where the logs of this attempt go in S3; the task's own ``pipelineLogUri`` wins over ``root``."""
    base = task.attempt.text("pipelineLogUri") or root
    if not base:
        return None
    names = (task.pipeline_id, task.component, task.instance, task.attempt.id)
    return "/".join((base.removesuffix("/"), *names))


def upload_logs(store: Callable[[], S3Store], uri: str, directory: Path, task: str) -> bool:
    """Upload both streams (already redacted); ``False``, and a line in the log, when that failed.

    ``task`` is the task's digest, for that line.
    """
    try:
        for name in (STDOUT, STDERR):
            if (path := directory / name).exists():
                store().upload_file(path, f"{uri}/{name}")
    except (DuctrunnerError, OSError) as error:
        log.event("log_upload_failed", level="ERROR", task=task, uri=uri, error=str(error))
        return False
    return True


@dataclass(frozen=True)
class Copied:
    """A stream of a command, and where its field wants a copy."""

    stream: OutputFile
    target: str | None

    def file(self, scratch: Path) -> Path:
        """Return a file that holds what this command has written: the log may hold more, of those before it."""
        if not self.stream.begin:
            return self.stream.path
        own = scratch / f"{self.stream.path.name}.copy"
        with self.stream.path.open("rb") as log, own.open("wb") as file:
            log.seek(self.stream.begin)
            shutil.copyfileobj(log, file)
        return own


def copy_streams(
    streams: Sequence[Copied], store: Callable[[], S3Store], scratch: Path, task: str, *, failed: bool
) -> None:
    """Put the streams where the activity's ``stdout`` and ``stderr`` fields want them.

    That this fails must not hide that the command has ``failed``: then it is only logged.

    Args:
        streams: the streams with their targets.
        store: makes the S3 store.
        scratch: a directory of the attempt.
        task: the task's digest, for the log.
        failed: whether the command has.

    Raises:
        StagingFailed: a target of a good command cannot be written.
    """
    for copied in streams:
        try:
            if copied.target is not None:
                _copy(copied, copied.target, store, scratch)
        except StagingFailed as error:
            if not failed:
                raise
            log.event("output_not_copied", level="ERROR", task=task, error=str(error))


def _copy(copied: Copied, target: str, store: Callable[[], S3Store], scratch: Path) -> None:
    try:
        path = copied.file(scratch)
        if "://" in target:
            store().upload_file(path, target)
        else:
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    except (DuctrunnerError, OSError) as error:
        raise StagingFailed(f"cannot write the output of the command to {target}: {error}") from error


def local_place(workspace: Workspace) -> str:
    """Return where the logs are on this machine, for the error message."""
    return f"{workspace.logs} on {socket.gethostname()}"
