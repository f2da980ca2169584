"""The logs of an attempt in S3: ``<pipelineLogUri>/<pipelineId>/<component>/<@instance>/<@attempt>/StdOutput``.

Keys are joined as they are: a double slash inside ``pipelineLogUri`` stays. A failed upload never fails the attempt.
"""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from agent import log
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


def copy_streams(targets: Mapping[Path, str | None], store: Callable[[], S3Store], task: str, *, failed: bool) -> None:
    """Put the streams where the activity's ``stdout`` and ``stderr`` fields want them.

    That this fails must not hide that the command has ``failed``: then it is only logged.

    Raises:
        StagingFailed: a target of a good command cannot be written.
    """
    for path, target in targets.items():
        try:
            if target is not None:
                _copy(path, target, store)
        except StagingFailed as error:
            if not failed:
                raise
            log.event("output_not_copied", level="ERROR", task=task, error=str(error))


def _copy(path: Path, target: str, store: Callable[[], S3Store]) -> None:
    try:
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
