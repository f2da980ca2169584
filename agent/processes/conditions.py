"""Under which conditions a command runs: niceness, memory, user."""

from __future__ import annotations

from dataclasses import dataclass

from agent.processes.user import User, find_user
from agent.task import PipelineObject
from core.errors import TaskMalformed
from core.sections.worker import AgentSettings


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


def task_conditions(settings: AgentSettings, activity: PipelineObject) -> Conditions:
    """Return the conditions of a task; the user that it names itself wins over the configuration's.

    AWS takes a field of one's own only when its name begins with ``my``: ``myRunAsUser``.

    Raises:
        TaskMalformed: that user does not exist, or this agent may not take it on.
    """
    name = activity.text("myRunAsUser") or activity.text("runAsUser") or settings.run_as_user
    limit = settings.memory_limit
    try:
        user = find_user(name) if name else None
    except ValueError as error:
        raise TaskMalformed(f"myRunAsUser: {error}") from None
    return Conditions(settings.nice, settings.oom_score, int(limit) if limit else None, user)
