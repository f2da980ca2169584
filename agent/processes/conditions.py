"""Under which conditions a command runs: niceness, memory, user."""

from __future__ import annotations

from dataclasses import dataclass

from agent.processes.user import User, find_user
from core.errors import TaskMalformed
from core.settings import AgentSettings


@dataclass(frozen=True)
class Conditions:
    """By default those of the agent."""

    nice: int = 0
    #: Added to the agent's own score (proc(5), oom_score_adj).
    oom_score: int = 0
    #: Bytes of all its processes together.
    memory_limit: int | None = None
    user: User | None = None


AS_THE_AGENT = Conditions()


def task_conditions(settings: AgentSettings, run_as: str | None) -> Conditions:
    """Return the conditions of a task; the user that it names itself (``runAsUser``) wins over the configuration's.

    Raises:
        TaskMalformed: that user does not exist, or this agent may not take it on.
    """
    name = run_as or settings.run_as_user
    try:
        user = find_user(name) if name else None
    except ValueError as error:
        raise TaskMalformed(f"runAsUser: {error}") from None
    return Conditions(settings.nice, settings.oom_score, settings.memory_limit, user)
