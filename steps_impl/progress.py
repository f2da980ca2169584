"""Progress and result of a running step: the result file, one JSON line on stdout, lines for people on stderr."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from core.redaction import REDACTOR
from steps_impl.contract import write_result

#: Seconds between two writes of the result file and two lines on stderr.
INTERVAL = 1.0
_UNITS = ("B", "kB", "MB", "GB", "TB")


class ProgressReporter:
    """Writes how far a step is, at most once a second, to the result file (if there is one) and to stderr."""

    def __init__(
        self, step: str, errors: TextIO, result: Path | None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._step = step
        self._errors = errors
        self._result = result
        self._monotonic = monotonic
        self._next = -1.0

    def progress(
        self,
        phase: str,
        *,
        rows: int | None = None,
        bytes: int | None = None,  # noqa: A002
        percent: float | None = None,
        job_log: str | None = None,
    ) -> None:
        """Tell how far the step is; calls within a second of the last written one are left out."""
        now = self._monotonic()
        if now < self._next:
            return
        self._next = now + INTERVAL
        told = {"rows": rows, "bytes": bytes, "phase": phase, "percent": percent, "hadoopJobLog": job_log}
        self.write({"status": "running", "progress": {key: value for key, value in told.items() if value is not None}})
        self._errors.write(REDACTOR.redact(progress_line(self._step, phase, rows, bytes)) + "\n")
        self._errors.flush()

    def write(self, document: Mapping[str, Any]) -> None:
        """Replace the result file, without any registered secret; a disk that is full must not end the step."""
        if self._result is None:
            return
        try:
            write_result(self._result, redacted(document))
        except OSError as error:
            self._errors.write(f"cannot write the result file {self._result}: {error.strerror}\n")


def redacted(value: Any) -> Any:
    """Return a JSON value in which no text holds a registered secret (before JSON escapes it out of recognition).

    What JSON does not know (a date, a decimal, NaN) becomes text.
    """
    if isinstance(value, str):
        return REDACTOR.redact(value)
    if isinstance(value, Mapping):
        return {str(key): redacted(kept) for key, kept in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(kept) for kept in value]
    known = value is None or isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    return value if known else REDACTOR.redact(str(value))


def progress_line(step: str, phase: str, rows: int | None, size: int | None) -> str:
    """Return ``12:03:11 extract-rds  1,200,000 rows  45 MB  copy`` (local time of the machine)."""
    parts = [f"{datetime.now().astimezone():%H:%M:%S} {step}"]
    parts += [f"{rows:,} rows"] if rows is not None else []
    parts += [human_bytes(size)] if size is not None else []
    return "  ".join([*parts, phase])


def human_bytes(size: float) -> str:
    """Return a size in decimal units with two or three digits, such as ``45 MB`` or ``1.2 GB``."""
    unit = 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.1f} {_UNITS[unit]}" if unit and size < 10 else f"{size:.0f} {_UNITS[unit]}"
