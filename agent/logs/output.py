"""What a child writes: from its pipe to its local file, redacted on the way, its last lines kept.

The file is also the queue of what still has to go to CloudWatch: ``written`` is told how much has been added.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

from agent.logs.redactor import StreamRedactor
from core.errors import DiskFull
from core.redaction import Matcher

#: Bytes of the end of a stream that are kept for the error message.
TAIL_LIMIT = 4096
_FILE = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC


class OutputFile:
    """One stream of an attempt (``StdOutput`` or ``StdError``) on the local disk, readable by us only.

    What is there goes on with ``go_on`` (the attempt was delivered before, or is a precondition that is evaluated
    again); else it is written anew. Of more than ``limit`` bytes the beginning and the last lines are kept, and a line
    between says so.
    """

    def __init__(
        self,
        path: Path,
        matcher: Matcher,
        written: Callable[[int], None] | None = None,
        limit: int | None = None,
        *,
        go_on: bool = False,
    ) -> None:
        self.path = path
        self._redactor = StreamRedactor(matcher)
        self._written = written
        self._limit = limit
        self._left_out = 0
        #: What was there before has reached the limit, and said so: of this only the last lines are remembered.
        self._mute = False
        self._tail = b""
        #: The file was not there before.
        self.fresh = not path.exists()
        mode = os.O_APPEND if go_on else os.O_TRUNC
        self._fd = _guarded(path, lambda: os.open(path, _FILE | mode, 0o600))
        #: Bytes that were in the file before, and that are in it now.
        self.begin = self.size = os.fstat(self._fd).st_size
        self._mute = limit is not None and self.begin > limit

    def feed(self, chunk: bytes) -> None:
        """Append what the child wrote.

        Raises:
            DiskFull: there is no space left for it.
        """
        self._keep(self._redactor.feed(chunk))

    def learn(self, matcher: Matcher) -> None:
        """Redact these secrets from now on."""
        self._redactor.learn(matcher)

    def settle(self) -> None:
        """Write what was held back since a secret might have begun there: its writer has ended."""
        self._keep(self._redactor.finish())

    def close(self) -> None:
        """Write what was held back, and close the file (safe to call twice)."""
        if self._fd < 0:
            return
        try:
            self.settle()
            if self._left_out:
                self._write(self._ending())
        finally:
            fd, self._fd = self._fd, -1
            os.close(fd)

    def tail(self) -> str:
        """Return the last lines, at most ``TAIL_LIMIT`` bytes."""
        text = self._tail.decode("utf-8", "replace")
        if len(self._tail) == TAIL_LIMIT:
            text = text.partition("\n")[2] or text  # the first line is cut
        return text.strip()

    def _keep(self, data: bytes) -> None:
        self._tail = data[-TAIL_LIMIT:] if len(data) >= TAIL_LIMIT else (self._tail + data)[-TAIL_LIMIT:]
        if self._mute:
            return
        room = len(data) if self._limit is None else max(0, self._limit - self.size)
        if len(data) > room:
            if not self._left_out:
                data, cut = data[:room] + self._cut_mark(), len(data) - room
            else:
                data, cut = b"", len(data)
            self._left_out += cut
        self._write(data)

    def _cut_mark(self) -> bytes:
        return f"\n[ductrunner: what follows is beyond logging.attempt_limit, {self._limit} bytes]\n".encode()

    def _ending(self) -> bytes:
        """The last lines, after what was left out."""
        last = self._tail[-self._left_out :]
        omitted = self._left_out - len(last)
        mark = f"[ductrunner: {omitted} bytes are left out here]\n" if omitted else ""
        return mark.encode() + last

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            count = _guarded(self.path, lambda: os.write(self._fd, rest))  # noqa: B023  # called at once
            rest = rest[count:]
            self.size += count
            if self._written:
                self._written(count)


def _guarded(path: Path, action: Callable[[], int]) -> int:
    try:
        return action()
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFull(f"no space left for the log {path}; free some, or give --output another disk") from None
        raise
