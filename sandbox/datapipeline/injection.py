"""Faults that tests ask for: the next calls of an operation, or a share of them all, fail, are slow or get lost."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field, fields
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
    """A fault for the next ``count`` calls of an operation (``*``: of any).

    With a ``rate`` (0 to 1) it meets that share of the calls instead, drawn by ``seed``, until it is forgotten.
    """

    operation: str
    fault: Fault
    count: int = 1
    status: int = 500
    code: str = "InternalServiceError"
    message: str = "Injected fault"
    seconds: float = 0.0
    rate: float = 0.0
    seed: int = 0
    #: Calls that it has met so far.
    met: int = field(default=0, init=False)
    _chance: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.rate <= 1:
            raise ValueError(f"rate must be between 0 and 1, not {self.rate}")
        self._chance = random.Random(self.seed)  # noqa: S311  # repeatable on purpose

    def meets(self, operation: str) -> bool:
        """Tell whether a call of ``operation`` has this fault; counts it if so."""
        if self.operation not in (operation, "*") or (self.rate and self._chance.random() >= self.rate):
            return False
        self.met += 1
        return True

    @property
    def used_up(self) -> bool:
        """Tell whether no further call will meet it."""
        return not self.rate and self.met >= self.count

    def listing(self) -> dict[str, Any]:
        """Return what it is, and how many calls it has met."""
        told = {entry.name: getattr(self, entry.name) for entry in fields(self) if not entry.name.startswith("_")}
        return told | {"fault": self.fault.value}


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
            known = ", ".join(entry.name for entry in fields(Injection) if entry.init)
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
                if injection.meets(operation):
                    if injection.used_up:
                        self._pending.remove(injection)
                    return injection
        return None

    def listing(self) -> list[dict[str, Any]]:
        """Return the faults that are still to come."""
        with self._lock:
            return [injection.listing() for injection in self._pending]
