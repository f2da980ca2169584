"""``emr-activity``: EmrActivity, steps of a cluster, one after the other on its primary node.

Source: Developer Guide, *EmrActivity*. Inputs and outputs only say what depends on what. A step that fails ends the
activity: later steps and ``postStepCommand`` are not run. As on EMR, a step is good when its program ends with 0 and no
Hadoop job of it has failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field, field_validator

from core.errors import ParameterError
from steps_impl.activities.cluster import Cluster, open_cluster
from steps_impl.activities.cluster.launching import is_script, jar_command, needs_hadoop, title_of
from steps_impl.activities.cluster.shell_scripts import run_command
from steps_impl.activities.cluster.steps import split_step
from steps_impl.activities.dynamodb.steps import own_step
from steps_impl.activities.objects.base import ActivityParameters, Several, Switch
from steps_impl.activities.objects.nodes import DataNode
from steps_impl.contract import StepContext, StepResult
from steps_impl.registry import Step

#: Steps, and commands before and after them, that a definition may have.
LIMIT = 255


class EmrActivityParameters(ActivityParameters):
    """The fields of EmrActivity."""

    type: Literal["EmrActivity"] = Field(default="EmrActivity", description="always `EmrActivity`")
    step: Several[str] = Field(default=(), description="`jar,argument,argument`, once per step, in order")
    pre_step_command: Several[str] = Field(default=(), description="shell commands before all steps")
    post_step_command: Several[str] = Field(default=(), description="shell commands after all steps")
    input: Several[DataNode] = Field(default=(), description="what it depends on")
    output: Several[DataNode] = Field(default=(), description="what depends on it")
    resize_cluster_before_running: Switch = Field(default=False, description="only for managed clusters; not used here")
    resize_cluster_max_instances: int | None = Field(default=None, description="only for managed clusters")

    @field_validator("step", "pre_step_command", "post_step_command")
    @classmethod
    def _within_limit(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if len(values) > LIMIT:
            raise ValueError(f"is given {len(values)} times; at most {LIMIT} are allowed")
        return values


def run(parameters: EmrActivityParameters, context: StepContext) -> StepResult:
    """Run the commands before, the steps, the commands after.

    Raises:
        ParameterError: no step at all, or one that names no jar; nothing was run then.
        ProgramMissing, ScriptNotFound, CommandFailed, CommandKilled: the message says which step.
    """
    if not parameters.step:
        raise ParameterError(f"{parameters.label} has no step; give at least one")
    steps = [split_step(text) for text in parameters.step]
    needs = "hadoop" if any(needs_hadoop(jar) and not own_step(jar, arguments) for jar, *arguments in steps) else None
    with open_cluster(parameters.label, context, needs=needs) as cluster:
        for number, command in enumerate(parameters.pre_step_command, start=1):
            run_command(cluster, command, f"preStepCommand {number} of {len(parameters.pre_step_command)}")
        rows = 0
        for number, (jar, *arguments) in enumerate(steps, start=1):
            rows += _run_step(cluster, jar, arguments, f"step {number} of {len(steps)} ({title_of(jar, arguments)})")
        for number, command in enumerate(parameters.post_step_command, start=1):
            run_command(cluster, command, f"postStepCommand {number} of {len(parameters.post_step_command)}")
    return StepResult(rows=rows or None, details={"steps": len(steps)})


def _run_step(cluster: Cluster, jar: str, arguments: Sequence[str], title: str) -> int:
    """Run one step; return how many items of DynamoDB it has moved, as far as that is known."""
    if step := own_step(jar, arguments):
        cluster.check_cancelled()
        return step(cluster.context).rows or 0
    cluster.run_jar(jar_command(cluster, jar, arguments), title, of_user=is_script(jar))
    return 0


STEP = Step(
    name="emr-activity",
    summary="Run the steps of an EmrActivity on the cluster's primary node.",
    parameters=EmrActivityParameters,
    run=run,
)
