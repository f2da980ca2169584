"""Session tokens of the metadata service (EC2 User Guide, *How Instance Metadata Service Version 2 works*)."""

from __future__ import annotations

import secrets
import threading
import time

#: What a token may last, in seconds.
SHORTEST, LONGEST = 1, 21600


class Tokens:
    """Gives tokens out and knows which are good."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ends: dict[str, float] = {}

    def issue(self, lifetime: str) -> tuple[str, int] | None:
        """Return a token and its seconds; ``None`` when ``lifetime`` is not one that is allowed."""
        if not lifetime.isascii() or not lifetime.isdigit() or not SHORTEST <= int(lifetime) <= LONGEST:
            return None
        token, now = secrets.token_urlsafe(42), time.monotonic()
        with self._lock:
            self._ends = {kept: end for kept, end in self._ends.items() if end > now}
            self._ends[token] = now + int(lifetime)
        return token, int(lifetime)

    def seconds_left(self, token: str) -> int | None:
        """Return how long a token is still good; ``None`` when it is not."""
        with self._lock:
            left = self._ends.get(token, 0.0) - time.monotonic()
        return round(left) if left > 0 else None

    def drop(self) -> None:
        """Let every token that was given out be bad from now on."""
        with self._lock:
            self._ends.clear()
