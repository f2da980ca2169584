"""Counts of what moves."""

from __future__ import annotations

import threading

from steps_impl.contract import Reporter, StepResult


class Tally:
    """Counts from several threads, and tells how far it is."""

    def __init__(self, reporter: Reporter, phase: str) -> None:
        self._reporter, self._phase = reporter, phase
        self._lock = threading.Lock()
        self.items = self.bytes = 0

    def count(self, size: int, items: int = 1) -> None:
        """Count an item, or several, of so many bytes."""
        with self._lock:
            self.items += items
            self.bytes += size

    def tell(self) -> None:
        """Tell the reporter."""
        self._reporter.progress(self._phase, rows=self.items, bytes=self.bytes)

    def result(self, **details: object) -> StepResult:
        """Return what was moved."""
        return StepResult(rows=self.items, bytes=self.bytes, details=details)
