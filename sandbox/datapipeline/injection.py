"""Faults that tests ask for: the next calls of an operation fail, are slow, or lose their connection."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sandbox.datapipeline.answers import InvalidRequest


class Fault(Enum):
    """What happens to a call."""

    ERROR = "error"
    DELAY = "delay"
    DROP_BEFORE = "drop-before"
    DROP_AFTER = "drop-after"


@dataclass(slots=True)
class Injection:
    """A fault for the next ``count`` calls of an operation (``*``: of any)."""

    operation: str
    fault: Fault
    count: int = 1
    status: int = 500
    code: str = "InternalServiceError"
    message: str = "Injected fault"
    seconds: float = 0.0


class Injections:
    """The faults that are still to come, first asked first served."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: list[Injection] = []

    def add(self, raw: dict[str, Any]) -> None:
        """Take in a fault from a control request.

        Raises:
            InvalidRequest: a member is missing, unknown or of the wrong kind.
        """
        try:
            injection = Injection(**{**raw, "fault": Fault(raw["fault"])})
        except (KeyError, TypeError, ValueError) as error:
            known = ", ".join(Injection.__slots__)
            raise InvalidRequest(f"A fault has operation, fault and optionally more of {known}: {error}") from None
        with self._lock:
            self._pending.append(injection)

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._pending.clear()

    def take(self, operation: str) -> Injection | None:
        """Return the fault of this call, if it has one, and count it."""
        if not self._pending:
            return None
        with self._lock:
            for injection in self._pending:
                if injection.operation in (operation, "*"):
                    injection.count -= 1
                    if injection.count <= 0:
                        self._pending.remove(injection)
                    return injection
        return None

    def listing(self) -> list[dict[str, Any]]:
        """Return the faults that are still to come."""
        with self._lock:
            return [
                {name: getattr(entry, name) for name in Injection.__slots__ if name != "fault"}
                | {"fault": entry.fault.value}
                for entry in self._pending
            ]
