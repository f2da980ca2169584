"""The activities whose work is a step of ours: one document of all they refer to, and ``ductrunner step`` to read it.

The document goes into a file of the attempt (0600), not into arguments: it holds passwords. Its form::

    {"id": "CopyIt", "name": "CopyIt", "type": "CopyActivity",
     "input": {"id": "In", "type": "S3DataNode", "filePath": "s3://…",
               "dataFormat": {"type": "CSV", "column": ["a", "b"]}},
     "output": …}

A field that is there once is a text or an object, one that is repeated a list. Fields are spelt as in the definition.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Set
from typing import Any

from agent.plan import Plan
from agent.plans.fields import is_own
from agent.task import Objects, PipelineObject, Task
from agent.workspace import Workspace

#: The step that does the work of each activity type.
STEPS = {
    "CopyActivity": "copy-activity",
    "EmrActivity": "emr-activity",
    "HadoopActivity": "hadoop-activity",
    "HiveActivity": "hive-activity",
    "HiveCopyActivity": "hive-copy-activity",
    "PigActivity": "pig-activity",
    "RedshiftCopyActivity": "redshift-copy-activity",
    "SqlActivity": "sql-activity",
}


def plan_step_activity(task: Task, objects: Objects, workspace: Workspace) -> Plan:
    """Return the plan of an activity of ``STEPS``.

    Raises:
        TaskMalformed: something that it refers to is not there.
    """
    return step_plan(STEPS[task.attempt.type], nested(task.attempt, objects), workspace)


def step_plan(step: str, document: Mapping[str, Any], workspace: Workspace, untrue: Set[int] = frozenset()) -> Plan:
    """Return the plan of a step with this document; ``untrue`` as of a ``Plan``."""
    path = workspace.temporary / "parameters.json"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(document, file)
    argv = ("ductrunner", "step", step, "--params", str(path))
    return Plan(argv=argv, own_program=True, untrue=frozenset(untrue))


def nested(item: PipelineObject, objects: Objects, above: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return an object as one document with everything that it refers to; ``above`` are the ids around it.

    A reference back to one of those is left out: what ``Default`` refers to inherits that reference to itself.
    """
    gathered: dict[str, list[Any]] = {}
    kind = item.type
    for field in item.fields:
        back = field.is_reference and field.value in (*above, item.id)
        if back or not is_own(field.key, kind) or field.key in ("id", "name"):
            continue
        value: Any = field.value
        if field.is_reference:
            (target,) = objects.get([field.value])
            value = nested(target, objects, (*above, item.id))
        gathered.setdefault(field.key, []).append(value)
    component = next(iter(item.references("@componentParent")), "") or item.id
    fields = {key: values[0] if len(values) == 1 else values for key, values in gathered.items()}
    return {"id": component, "name": item.name, **fields}
