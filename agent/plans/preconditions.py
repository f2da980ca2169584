"""Preconditions that a worker evaluates: a command that ends with 0, a data node that is there.

Source: Developer Guide, *ShellCommandPrecondition* and *Exists*. What "exists" means for a data node AWS does not say;
here: the S3 object, anything below the S3 directory, the table.
"""

from __future__ import annotations

from agent.plan import Look, Plan
from agent.plans.fields import check_fields
from agent.plans.shell_command import OTHER_NODES, script_of
from agent.plans.step_activity import nested, step_plan
from agent.task import Objects, PipelineObject, Task
from agent.workspace import Workspace
from core.errors import TaskMalformed
from steps_impl.contract import EXIT_CHECK_FAILED

EXISTS_STEP = "exists"
_TIMES = ("preconditionTimeout",)


def plan_shell_precondition(task: Task, objects: Objects, workspace: Workspace) -> Plan:  # noqa: ARG001  # a planner
    """Return the plan of one evaluation of a ShellCommandPrecondition: each exit status but 0 means "not yet".

    Raises:
        TaskMalformed: not exactly one of ``command`` and ``scriptUri``, or an unknown field.
    """
    given = task.attempt
    check_fields(given, task.component, ("command", "scriptUri", "scriptArgument", "stderr", "stdout", *_TIMES))
    return Plan(
        argv=tuple(given.texts("scriptArgument")),
        script=script_of(given, task.component, workspace),
        stdout=given.text("stdout"),
        stderr=given.text("stderr"),
        untrue=None,
    )


def plan_exists(task: Task, objects: Objects, workspace: Workspace) -> Plan:
    """Return the plan of one evaluation of an Exists: the agent looks in S3, a child of it in databases.

    Raises:
        TaskMalformed: it does not say of which data node, that is of no type that can be looked for, or an unknown
            field.
    """
    check_fields(task.attempt, task.component, _TIMES)
    ids = task.attempt.references("node")
    if not ids:
        raise TaskMalformed(f"{task.component} has no 'node': Exists must be the precondition of a data node")
    (node,) = objects.get(ids[:1])
    if node.type == "S3DataNode":
        return Plan(argv=(), look=_look(node))
    if node.type not in OTHER_NODES:
        known = ", ".join(sorted({"S3DataNode", *OTHER_NODES}))
        raise TaskMalformed(
            f"{task.component} is to look for {node.id}, of type {node.type or '(none)'!r}; Exists knows: {known}"
        )
    document = {"id": task.component, "name": task.attempt.name, "node": nested(node, objects)}
    return step_plan(EXISTS_STEP, document, workspace, untrue=frozenset({EXIT_CHECK_FAILED}))


def _look(node: PipelineObject) -> Look:
    file, directory = node.text("filePath"), node.text("directoryPath")
    if file is None and directory is None:
        file = node.text("manifestFilePath")
    if (file is None) == (directory is None):
        found = "both" if file else "neither"
        raise TaskMalformed(f"the data node {node.id} must have 'filePath' or 'directoryPath'; it has {found}")
    return Look(directory or file or "", directory is not None)
