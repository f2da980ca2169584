"""What the agent says about itself: JSON lines with a stable ``action``, on stdout and in hourly files.

``output/logs/TaskRunner.log.YYYY-MM-DD-HH`` (UTC hour) is TaskRunner's file name. Every line is redacted. A full disk
never stops the agent: the line still goes to stdout.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import nullcontext, suppress
from io import FileIO
from pathlib import Path
from typing import Any, TextIO

from core.clock import Clock, SystemClock
from core.redaction import REDACTOR

_LOGGER = logging.getLogger("ductrunner.agent")
#: Hears of each line: file, offset and length in bytes.
Listener = Callable[[Path, int, int], None]
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
    """Appends to the file of the current UTC hour; while another agent writes that, to one with our pid behind it."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        super().__init__()
        self._directory = directory
        self._clock = clock
        self._hour = ""
        self._file: FileIO | None = None
        self._listeners: list[Listener] = []
        #: Where our first line in the current file begins.
        self._begin = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line; when the disk refuses it, say so on stderr and go on."""
        try:
            file = self._current()
            begin = file.seek(0, os.SEEK_END)
            count = file.write((self.format(record) + "\n").encode("utf-8", "replace"))
            for listener in self._listeners:
                listener(Path(file.name), begin, count)
        except OSError as error:
            self.close()
            _complain(f"cannot write the log in {self._directory}: {error.strerror}")

    def tell(self, listener: Listener) -> None:
        """Let somebody know of each line: of its file, where it begins in it, and how long it is."""
        with self.lock or nullcontext():
            self._listeners.append(listener)
            if self._file is not None:
                listener(Path(self._file.name), self._begin, self._file.seek(0, os.SEEK_END) - self._begin)

    def close(self) -> None:
        """Close the file of the hour."""
        file, self._file, self._hour = self._file, None, ""
        if file is not None:
            try:
                file.close()
            except OSError as error:  # stdout has had the same lines
                _complain(f"cannot close the log in {self._directory}: {error.strerror}")
        super().close()

    def _current(self) -> FileIO:
        hour = self._clock.now().strftime("%Y-%m-%d-%H")
        if self._file is None or hour != self._hour:
            if self._file is not None:
                self._file.close()
            self._directory.mkdir(parents=True, exist_ok=True)
            self._file = _own_file(self._directory / f"TaskRunner.log.{hour}")
            self._begin = self._file.seek(0, os.SEEK_END)
            self._hour = hour
        return self._file


def _own_file(path: Path) -> FileIO:
    """Open a file that nobody else writes to."""
    file = FileIO(path, "a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return FileIO(path.with_name(f"{path.name}.{os.getpid()}"), "a")
    return file


def _complain(text: str) -> None:
    with suppress(OSError, ValueError):  # there may be nobody left to tell
        sys.stderr.write(f"ductrunner: {text}\n")


class _Stdout(logging.StreamHandler[TextIO]):
    """Lines on stdout; when nobody takes them any more, the files still have them."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's name
        """Go on."""


def set_up(directory: Path, level: str, clock: Clock | None = None) -> HourlyFile:
    """Send the agent's lines to stdout and to hourly files in ``directory``; return these."""
    used = clock or SystemClock()
    formatter = JsonFormatter(used)
    hourly = HourlyFile(directory, used)
    handlers: list[logging.Handler] = [_Stdout(sys.stdout), hourly]
    for handler in handlers:
        handler.setFormatter(formatter)
    _LOGGER.handlers = handlers
    _LOGGER.setLevel(level)
    _LOGGER.propagate = False
    return hourly
