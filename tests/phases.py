"""Reporters of steps that run in the test's own process."""

from __future__ import annotations

from typing import Any


class Silent:
    """Takes progress and keeps none."""

    def progress(self, phase: str, **_: Any) -> None:
        """Say nothing."""


class Phases:
    """Remembers the phases that a step tells of, and can do something at one of them."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.at: dict[str, Any] = {}

    def progress(self, phase: str, *, rows: int | None = None, bytes: int | None = None) -> None:  # noqa: A002
        """Keep a phase; do what is asked for at it, once."""
        self.seen.append(phase)
        if phase in self.at:
            self.at.pop(phase)()
