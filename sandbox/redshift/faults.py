"""Serialization failures on demand: ``CALL sandbox_serialization_failures(n)`` lets the next commits fail with 1023.

The call holds for the whole database, whoever commits: a test makes it on a connection of its own, and what it tests
meets the error. Only transactions of several statements are hit; ``CALL sandbox_serialization_failures(0)`` ends it.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import Final

from sandbox.redshift.errors import SqlError

PROCEDURE: Final = "sandbox_serialization_failures"


class Faults:
    """How many commits are still to fail, by database. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: Counter[str] = Counter()

    def arm(self, database: str, commits: int) -> None:
        """Let the next ``commits`` of a database fail."""
        with self._lock:
            self._left[database] = commits

    def armed(self, database: str) -> bool:
        """Say whether the next commit is to fail."""
        return self._left[database] > 0

    def take(self, database: str) -> bool:
        """Say whether this commit fails, and count it."""
        with self._lock:
            if self._left[database] <= 0:
                return False
            self._left[database] -= 1
            return True


def violation() -> SqlError:
    """Return the error of a commit that fails, as Redshift words it."""
    detail = (
        "Serializable isolation violation on table - (injected by the sandbox), transactions forming the cycle are: "
        "(injected)"
    )
    return SqlError("1023", "XX000", detail=detail)
