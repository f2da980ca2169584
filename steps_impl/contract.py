"""What stands between a step and whoever runs it: exit codes, the result file, the context.

Kept free of heavy imports: the agent reads it too.

The result file (named by ``DUCTRUNNER_RESULT``) is one JSON object, replaced atomically, in one of three forms::

    {"status": "running",  "progress": {"rows": 120000, "bytes": 5000000, "phase": "copy"}}
    {"status": "finished", "rows": 200000, "bytes": 8000000, "details": {…}}
    {"status": "failed",   "errorId": "LoadRejected", "errorMessage": "…"}
"""

from __future__ import annotations

import json
import os
import stat
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_BAD_PARAMETERS = 2
EXIT_CHECK_FAILED = 3

RESULT_VARIABLE = "DUCTRUNNER_RESULT"
TASK_VARIABLE = "DUCTRUNNER_TASK_ID"
PIPELINE_VARIABLE = "DUCTRUNNER_PIPELINE_ID"
ATTEMPT_VARIABLE = "DUCTRUNNER_ATTEMPT_ID"
#: Names, with commas between, the variables that hold AWS keys of the worker's own flags: lent to the step, and not
#: for a command of the user's that the step runs.
LENT_VARIABLE = "DUCTRUNNER_LENT_KEYS"
#: Entry points of installed packages that bring steps.
GROUP = "ductrunner.steps"


@dataclass(frozen=True)
class StepResult:
    """What a step leaves for the report: rows and bytes that it moved, and details by name (no row data)."""

    rows: int | None = None
    bytes: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


class Reporter(Protocol):
    """Takes the progress of a running step."""

    def progress(
        self,
        phase: str,
        *,
        rows: int | None = None,
        bytes: int | None = None,  # noqa: A002
        percent: float | None = None,
        job_log: str | None = None,
    ) -> None:
        """Tell how far the step is; may be called often, is written at most once a second.

        ``percent`` goes from 0 to 100; ``job_log`` is the page of the Hadoop job that runs.
        """


@dataclass(frozen=True)
class StepContext:
    """What a step is given beside its parameters."""

    reporter: Reporter
    #: Set on SIGTERM; a step that loops checks it and raises ``InterruptedError`` after cleaning up.
    cancelled: threading.Event = field(default_factory=threading.Event)
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))


def write_result(path: Path, document: Mapping[str, Any]) -> None:
    """Replace the result file in one step, so that a reader never sees half of it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(document, file)
    Path(temporary).replace(path)


def read_result(path: Path, limit: int = 1 << 20) -> dict[str, Any] | None:
    """Return the result file's object; ``None`` when it is missing, too large or not a JSON object.

    The command may have put anything there: a link leads nowhere, and a pipe cannot make the reader wait.
    """
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            document = json.loads(file.read(limit))
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
