"""An attempt and a group as the watcher is told of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agent.contact import Contact
from agent.gate import Gate
from agent.group import Group
from agent.health.numbers import Numbers
from agent.health.readiness import Readiness
from agent.health.turns import Turns
from agent.health.watcher import Watcher
from agent.observer import Ended
from agent.source import Verdict
from agent.task import Field, PipelineObject, Task


def make_task(kind: str = "ShellCommandActivity", number: int = 1, **fields: str) -> Task:
    """A task of this type; ``fields`` are its attempt's further fields, with ``at_`` for ``@``."""
    listed = [Field("type", kind, False)]
    listed += [Field(key.replace("at_", "@"), value, False) for key, value in fields.items()]
    attempt = PipelineObject(f"@Work_2026-01-01T00:00:00_Attempt={number}", "Work", tuple(listed))
    return Task("a-secret-handle", "df-1", attempt, {attempt.id: attempt})


def make_ended(outcome: str = "finished", seconds: float = 1.0, task: Task | None = None, group: str = "etl") -> Ended:
    """An attempt that is over."""
    verdict = Verdict(outcome == "finished", "" if outcome == "finished" else "CommandFailed", "why\nlast lines")
    return Ended(group, task or make_task(), verdict, outcome, seconds, None, "", "logs")


class Observed:
    """Everything that judges an agent, without the agent."""

    def __init__(self) -> None:
        self.numbers, self.turns, self.gate, self.contact = Numbers(), Turns(), Gate(), Contact()
        groups = [Group("etl", None, 2), Group("reports", None, 1)]  # type: ignore[arg-type]
        self.watcher = Watcher(self.numbers, self.turns, self.contact, groups)
        self.readiness = Readiness(self.watcher, self.turns, self.gate, self.contact, report_interval=60.0)


@pytest.fixture
def observed() -> Observed:
    return Observed()


@pytest.fixture
def task() -> Callable[..., Task]:
    return make_task


@pytest.fixture
def ended() -> Callable[..., Ended]:
    return make_ended
