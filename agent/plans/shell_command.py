"""ShellCommandActivity: a command or a script in S3, its arguments, its staged inputs and outputs.

Source: Developer Guide, *ShellCommandActivity*. ``stage`` is read in any case and is off when absent. Inputs and
outputs are numbered in field order; only S3 data nodes are staged, and an output only with ``directoryPath``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.plan import Plan, Script
from agent.plans.fields import check_fields
from agent.task import Objects, PipelineObject, Task
from agent.workspace import Workspace
from core.errors import TaskMalformed

if TYPE_CHECKING:
    from agent.staging import StagedNode

#: Data nodes that are not staged.
OTHER_NODES = frozenset({"DynamoDBDataNode", "MySqlDataNode", "RedshiftDataNode", "SqlDataNode"})
_KNOWN_OF_S3 = ("compression", "dataFormat", "directoryPath", "filePath", "manifestFilePath", "s3EncryptionType")
_KNOWN = ("command", "input", "output", "scriptArgument", "scriptUri", "stage", "stderr", "stdout")


def plan_shell_command(task: Task, objects: Objects, workspace: Workspace) -> Plan:
    """Return the plan of a ShellCommandActivity.

    Raises:
        TaskMalformed: not exactly one of ``command`` and ``scriptUri``, a data node without a path or of an unknown
            type, or an unknown field.
    """
    activity = task.attempt
    check_fields(activity, task.component, _KNOWN)
    script = script_of(activity, task.component, workspace)
    inputs: dict[int, StagedNode] = {}
    outputs: dict[int, StagedNode] = {}
    if (activity.text("stage") or "").strip().lower() == "true":
        inputs = _staged(objects.get(activity.references("input")), "input", workspace)
        outputs = _staged(objects.get(activity.references("output")), "output", workspace)
    environment = {f"INPUT{number}_STAGING_DIR": str(node.local) for number, node in inputs.items()}
    environment |= {f"OUTPUT{number}_STAGING_DIR": str(node.local) for number, node in outputs.items()}
    return Plan(
        argv=tuple(activity.texts("scriptArgument")),
        script=script,
        environment=environment,
        inputs=tuple(inputs.values()),
        outputs=tuple(outputs.values()),
        stdout=activity.text("stdout"),
        stderr=activity.text("stderr"),
    )


def script_of(activity: PipelineObject, component: str, workspace: Workspace) -> Script:
    """Return the script that an activity or a precondition runs.

    Raises:
        TaskMalformed: not exactly one of ``command`` and ``scriptUri``.
    """
    command, uri = activity.text("command"), activity.text("scriptUri")
    if (command is None) == (uri is None):
        found = "both" if command else "neither"
        raise TaskMalformed(f"{component} must have either 'command' or 'scriptUri'; it has {found}")
    return Script(workspace.script, text=command, uri=uri)


def _staged(nodes: list[PipelineObject], kind: str, workspace: Workspace) -> dict[int, StagedNode]:
    from agent.staging import StagedNode

    staged: dict[int, StagedNode] = {}
    for number, node in enumerate(nodes, start=1):
        if node.type in OTHER_NODES:
            continue  # it is for the command to read; the next one keeps its number
        if node.type != "S3DataNode":
            known = ", ".join(sorted({"S3DataNode", *OTHER_NODES}))
            raise TaskMalformed(f"the {kind} {node.id} is of type {node.type or '(none)'!r}; data nodes are: {known}")
        check_fields(node, node.id, _KNOWN_OF_S3)
        file, directory = node.text("filePath"), node.text("directoryPath")
        if (file is None) == (directory is None):
            found = "both" if file else "neither"
            raise TaskMalformed(f"the data node {node.id} must have 'filePath' or 'directoryPath'; it has {found}")
        if directory is None and kind == "output":
            continue
        encrypted = (node.text("s3EncryptionType") or "").strip().upper() != "NONE"
        local = workspace.staging(kind, number)
        staged[number] = StagedNode(directory or file or "", directory is not None, local, encrypted)
    return staged
