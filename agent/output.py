"""What a child writes: from its pipe to its local file, redacted on the way, its last lines kept."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from core.errors import DiskFull
from core.redaction import MASK

#: Bytes of the end of a stream that are kept for the error message.
TAIL_LIMIT = 4096


class StreamRedactor:
    """Replaces secrets in a stream of bytes, also where one is cut by the border of two chunks."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = sorted((secret.encode() for secret in secrets), key=len, reverse=True)
        self._pattern = re.compile(b"|".join(map(re.escape, self._secrets))) if self._secrets else None
        self._held = b""

    def feed(self, chunk: bytes) -> bytes:
        """Return what can go out; the beginning of a possible secret is held back."""
        if self._pattern is None:
            return chunk
        text = self._held + chunk
        border = len(text) - self._possible_beginning(text)
        # A short secret that ends behind the border may be the beginning of a longer one: it waits too.
        for match in self._pattern.finditer(text):
            if match.end() > border:
                border = min(border, match.start())
                break
        self._held = text[border:]
        return self._pattern.sub(MASK.encode(), text[:border])

    def finish(self) -> bytes:
        """Return what was held back."""
        held, self._held = self._held, b""
        return self._pattern.sub(MASK.encode(), held) if self._pattern else held

    def _possible_beginning(self, text: bytes) -> int:
        """Return the length of the longest end of ``text`` with which a secret may begin."""
        longest = 0
        for secret in self._secrets:
            for length in range(min(len(secret) - 1, len(text)), longest, -1):
                if text.endswith(secret[:length]):
                    longest = length
                    break
        return longest


class OutputFile:
    """One stream of an attempt (``StdOutput`` or ``StdError``) on the local disk, readable by us only."""

    def __init__(self, path: Path, secrets: Iterable[str]) -> None:
        self.path = path
        self._redactor = StreamRedactor(secrets)
        self._tail = b""
        self._fd = _guarded(path, lambda: os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600))

    def feed(self, chunk: bytes) -> None:
        """Append what the child wrote.

        Raises:
            DiskFull: there is no space left for it.
        """
        self._write(self._redactor.feed(chunk))

    def learn(self, secrets: Iterable[str]) -> None:
        """Redact these secrets from now on.

        Raises:
            DiskFull: there is no space left for what was held back.
        """
        self._write(self._redactor.finish())
        self._redactor = StreamRedactor(secrets)

    def close(self) -> None:
        """Write what was held back, and close the file (safe to call twice)."""
        if self._fd < 0:
            return
        try:
            self._write(self._redactor.finish())
        finally:
            fd, self._fd = self._fd, -1
            os.close(fd)

    def tail(self) -> str:
        """Return the last lines, at most ``TAIL_LIMIT`` bytes."""
        text = self._tail.decode("utf-8", "replace")
        if len(self._tail) == TAIL_LIMIT:
            text = text.partition("\n")[2] or text  # the first line is cut
        return text.strip()

    def _write(self, data: bytes) -> None:
        self._tail = (self._tail + data)[-TAIL_LIMIT:]
        rest = memoryview(data)
        while rest:
            rest = rest[_guarded(self.path, lambda: os.write(self._fd, rest)) :]  # noqa: B023  # called at once


def _guarded(path: Path, action: Callable[[], int]) -> int:
    try:
        return action()
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFull(f"no space left for the log {path}; free some, or give --output another disk") from None
        raise
