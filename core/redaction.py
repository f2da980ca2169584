"""Secrets are registered once, when they are read, and removed from every text that leaves the process.

A secret is known by every spelling in which programs write one: as it is, escaped in JSON, quoted in an address.
"""

from __future__ import annotations

import json
import re
import threading
from urllib.parse import quote, quote_plus

#: Shorter values are not redacted: they would blank out ordinary words (buildkite-agent uses the same length).
MINIMUM_LENGTH = 6
MASK = "[redacted]"
#: Half of a surrogate pair is no text that a secret could be sent as, but no reason to fail either.
_ANY = "surrogatepass"


class Redactor:
    """Replaces every registered secret in a text by ``[redacted]``. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._secrets: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def register(self, secret: str | None) -> None:
        """Remember a secret; ``None`` and values shorter than ``MINIMUM_LENGTH`` are ignored."""
        if not secret or len(secret) < MINIMUM_LENGTH:
            return
        with self._lock:
            if secret in self._secrets:
                return
            self._secrets |= _spellings(secret)
            longest_first = sorted(self._secrets, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def redact(self, text: str) -> str:
        """Return ``text`` without any registered secret."""
        pattern = self._pattern
        return pattern.sub(MASK, text) if pattern else text

    def secrets(self) -> frozenset[str]:
        """Return the registered secrets, for redactors that work on streams of bytes."""
        with self._lock:
            return frozenset(self._secrets)


def _spellings(secret: str) -> set[str]:
    escaped = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    return {secret, *escaped, quote(secret, safe="", errors=_ANY), quote_plus(secret, errors=_ANY)}


#: The redactor of this process: settings, secret stores and the task parser register here.
REDACTOR = Redactor()
