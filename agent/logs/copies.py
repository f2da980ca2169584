"""The logs of an attempt in S3: ``<pipelineLogUri>/<pipelineId>/<component>/<@instance>/<@attempt>/StdOutput``.

Keys are joined as they are: a double slash inside ``pipelineLogUri`` stays. A failed upload never fails the attempt.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from agent import log
from agent.task import Task
from agent.workspace import STDERR, STDOUT, Workspace
from core.errors import DuctrunnerError

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


def local_place(workspace: Workspace) -> str:
    """Return where the logs are on this machine, for the error message."""
    return f"{workspace.logs} on {socket.gethostname()}"
