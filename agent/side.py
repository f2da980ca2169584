"""A loop beside the work, in a named thread of its own: when it breaks, the agent stops loudly."""

from __future__ import annotations

from typing import Protocol


class Side(Protocol):
    """Started before the first poll, closed when the last attempt has ended (the last started first)."""

    #: Name of its thread.
    name: str

    def run(self) -> None:
        """Do its work until closed."""

    def close(self) -> None:
        """Let ``run`` return soon; called once, from another thread."""
