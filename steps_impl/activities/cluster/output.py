"""A program's output, copied while it comes, and read line by line on the way."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import IO

#: Bytes read at once.
_CHUNK = 64 * 1024
#: Bytes of one line that are read for its meaning; the rest of it is copied all the same.
_LINE_LIMIT = 16 * 1024
#: Seconds in which the last output comes once the program has ended; a daemon that keeps the pipe is not waited for.
PATIENCE = 2.0


class Copier:
    """A thread that copies one stream to another and shows each line to ``look``."""

    def __init__(self, source: IO[bytes], target: IO[bytes], look: Callable[[str], None]) -> None:
        self._source = source
        self._target = target
        self._look = look
        self._rest = b""
        self._thread = threading.Thread(target=self._copy, name="output", daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Wait for the last output."""
        self._thread.join(PATIENCE)

    def _copy(self) -> None:
        with self._source:
            while chunk := os.read(self._source.fileno(), _CHUNK):
                self._write(chunk)
                self._read_lines(chunk)
        if self._rest:
            self._show(self._rest)

    def _write(self, chunk: bytes) -> None:
        """Copy a chunk; when nobody takes it any more, the program is not held up for that."""
        with suppress(OSError):
            self._target.write(chunk)
            self._target.flush()

    def _read_lines(self, chunk: bytes) -> None:
        *lines, rest = (self._rest + chunk).split(b"\n")
        self._rest = rest[:_LINE_LIMIT]
        for line in lines:
            self._show(line)

    def _show(self, line: bytes) -> None:
        self._look(line[:_LINE_LIMIT].decode("utf-8", "replace"))
