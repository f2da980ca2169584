"""The types of activities and preconditions that this worker runs, and who makes a plan of each."""

from __future__ import annotations

from collections.abc import Callable

from agent.plan import Plan
from agent.plans.preconditions import plan_exists, plan_shell_precondition
from agent.plans.shell_command import plan_shell_command
from agent.plans.step_activity import STEPS, plan_step_activity
from agent.task import Objects, Task
from agent.workspace import Workspace
from core.errors import TaskMalformed

Planner = Callable[[Task, Objects, Workspace], Plan]

PLANNERS: dict[str, Planner] = {
    "ShellCommandActivity": plan_shell_command,
    "ShellCommandPrecondition": plan_shell_precondition,
    "Exists": plan_exists,
    **dict.fromkeys(STEPS, plan_step_activity),
}


def make_plan(task: Task, objects: Objects, workspace: Workspace) -> Plan:
    """Return the plan of a task.

    Raises:
        TaskMalformed: its type is not one that this worker runs, or a field of it is missing or wrong.
    """
    planner = PLANNERS.get(task.attempt.type)
    if planner is None:
        known = ", ".join(sorted(PLANNERS))
        raise TaskMalformed(
            f"{task.component} is of type {task.attempt.type or '(none)'!r}, which this worker does not run; "
            f"it runs: {known}"
        )
    return planner(task, objects, workspace)
