"""One worker group that this process serves: who hands out its tasks, and how many run at the same time."""

from __future__ import annotations

from dataclasses import dataclass

from agent.source import TaskSource


@dataclass(frozen=True)
class Group:
    """A worker group; the first one given is the agent's own."""

    name: str
    source: TaskSource
    slots: int
