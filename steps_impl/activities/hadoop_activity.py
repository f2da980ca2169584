"""``hadoop-activity``: HadoopActivity, one jar on the cluster, scripts before and after it.

Source: Developer Guide, *HadoopActivity*. The queue reaches all jobs of the jar through their configuration, whether
or not its main class takes ``-D``.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from steps_impl.activities.cluster import ShellScriptConfig, open_cluster, run_config
from steps_impl.activities.cluster.launching import is_script, jar_command, title_of
from steps_impl.activities.dynamodb.steps import own_step
from steps_impl.activities.objects.base import ActivityParameters, Several
from steps_impl.activities.objects.nodes import DataNode
from steps_impl.contract import StepContext, StepResult
from steps_impl.registry import Step


class HadoopActivityParameters(ActivityParameters):
    """The fields of HadoopActivity."""

    type: Literal["HadoopActivity"] = Field(default="HadoopActivity", description="always `HadoopActivity`")
    jar_uri: str = Field(description="`s3://…` or a path on the cluster")
    main_class: str | None = Field(default=None, description="class to run; default: the one that the jar names")
    argument: Several[str] = Field(default=(), description="arguments, one each")
    hadoop_queue: str | None = Field(default=None, description="queue of YARN's scheduler")
    pre_activity_task_config: ShellScriptConfig | None = Field(default=None, description="script before the jar")
    post_activity_task_config: ShellScriptConfig | None = Field(default=None, description="script after the jar")
    input: Several[DataNode] = Field(default=(), description="what it depends on")
    output: Several[DataNode] = Field(default=(), description="what depends on it")


def run(parameters: HadoopActivityParameters, context: StepContext) -> StepResult:
    """Run the script before, the jar, the script after; what fails ends the activity.

    Raises:
        ProgramMissing, ScriptNotFound, CommandFailed, CommandKilled: the message says which.
    """
    queue = {"mapreduce.job.queuename": parameters.hadoop_queue} if parameters.hadoop_queue else {}
    words = [parameters.main_class, *parameters.argument] if parameters.main_class else parameters.argument
    own = own_step(parameters.jar_uri, words)
    with open_cluster(parameters.label, context, queue, None if own else "hadoop") as cluster:
        run_config(cluster, parameters.pre_activity_task_config, "preActivityTaskConfig")
        if own:
            own(context)
        else:
            command = jar_command(cluster, parameters.jar_uri, parameters.argument, parameters.main_class)
            cluster.run_jar(
                command,
                f"the jar {title_of(parameters.jar_uri, parameters.argument)}",
                of_user=is_script(parameters.jar_uri),
            )
        run_config(cluster, parameters.post_activity_task_config, "postActivityTaskConfig")
    return StepResult()


STEP = Step(
    name="hadoop-activity",
    summary="Run the jar of a HadoopActivity on the cluster's primary node.",
    parameters=HadoopActivityParameters,
    run=run,
)
