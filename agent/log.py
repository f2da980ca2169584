"""What the agent says about itself: JSON lines with a stable ``action``, on stdout and in hourly files.

``output/logs/TaskRunner.log.YYYY-MM-DD-HH`` (UTC hour) is TaskRunner's file name. Every line is redacted. A full disk
never stops the agent: the line still goes to stdout.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from pathlib import Path
from typing import Any, TextIO

from core.clock import Clock, SystemClock
from core.redaction import REDACTOR

_LOGGER = logging.getLogger("ductrunner.agent")
_LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40}


def event(action: str, *, level: str = "INFO", **fields: Any) -> None:
    """Write one line; ``action`` is stable and documented, ``fields`` hold no secret and no row data."""
    _LOGGER.log(_LEVELS[level], action, extra={"fields": fields})


def failure(action: str, error: BaseException, **fields: Any) -> None:
    """Write one ERROR line with the traceback of an unexpected error."""
    trace = "".join(traceback.format_exception(error))
    event(action, level="ERROR", error=f"{type(error).__name__}: {error}", trace=trace, **fields)


class JsonFormatter(logging.Formatter):
    """One JSON object per line."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, redacted."""
        line = {
            "time": self._clock.now().isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "action": record.getMessage(),
            "thread": record.threadName,
            **getattr(record, "fields", {}),
        }
        return REDACTOR.redact(json.dumps(line, default=str, ensure_ascii=False))


class HourlyFile(logging.Handler):
    """Appends to the file of the current UTC hour."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        super().__init__()
        self._directory = directory
        self._clock = clock
        self._hour = ""
        self._file: TextIO | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line; when the disk refuses it, say so on stderr and go on."""
        try:
            file = self._current()
            file.write(self.format(record) + "\n")
            file.flush()
        except OSError as error:
            self.close()
            sys.stderr.write(f"ductrunner: cannot write the log in {self._directory}: {error.strerror}\n")

    def close(self) -> None:
        """Close the file of the hour."""
        file, self._file, self._hour = self._file, None, ""
        if file is not None:
            try:
                file.close()
            except OSError as error:  # what was buffered could not be written: stdout has had the same lines
                sys.stderr.write(f"ductrunner: cannot close the log in {self._directory}: {error.strerror}\n")
        super().close()

    def _current(self) -> TextIO:
        hour = self._clock.now().strftime("%Y-%m-%d-%H")
        if self._file is None or hour != self._hour:
            if self._file is not None:
                self._file.close()
            self._directory.mkdir(parents=True, exist_ok=True)
            self._file = (self._directory / f"TaskRunner.log.{hour}").open("a", encoding="utf-8")
            self._hour = hour
        return self._file


def set_up(directory: Path, level: str, clock: Clock | None = None) -> None:
    """Send the agent's lines to stdout and to hourly files in ``directory``."""
    used = clock or SystemClock()
    formatter = JsonFormatter(used)
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stdout), HourlyFile(directory, used)]
    for handler in handlers:
        handler.setFormatter(formatter)
    _LOGGER.handlers = handlers
    _LOGGER.setLevel(level)
    _LOGGER.propagate = False
