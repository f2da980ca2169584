"""``hive-activity``: HiveActivity, a script of HiveQL on the cluster's own ``hive``.

Source: Developer Guide, *HiveActivity*, *Staging Data and Tables with Pipeline Activities*. The nodes that the script
uses as ``${input1}``, ``${output1}`` … are tables that are made before it and are gone with its session; ``stage`` is
``true`` unless it is switched off, as the page's example has it. A script in S3 is run as it is: expressions in it are
not evaluated.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from steps_impl.activities.cluster import ShellScriptConfig, open_cluster, run_config
from steps_impl.activities.cluster.files import script_text
from steps_impl.activities.hive.nodes import StagedTables, stage
from steps_impl.activities.hive.reserved import quote_columns
from steps_impl.activities.hive.running import HiveRun, job_settings
from steps_impl.activities.hive.script import assemble, script_variables
from steps_impl.activities.hive.tables import variables
from steps_impl.activities.objects.base import ActivityParameters, Several, Switch
from steps_impl.activities.objects.nodes import DataNode
from steps_impl.contract import StepContext, StepResult
from steps_impl.registry import Step


class HiveActivityParameters(ActivityParameters):
    """The fields of HiveActivity."""

    type: Literal["HiveActivity"] = Field(default="HiveActivity", description="always `HiveActivity`")
    hive_script: str | None = Field(default=None, description="the script; or `scriptUri`")
    script_uri: str | None = Field(default=None, description="`s3://…` of the script")
    script_variable: Several[str] = Field(default=(), description="`NAME=value`, once per variable")
    input: Several[DataNode] = Field(default=(), description="tables `${input1}` …")
    output: Several[DataNode] = Field(default=(), description="tables `${output1}` …")
    stage: Switch = Field(default=True, description="make the tables")
    hadoop_queue: str | None = Field(default=None, description="queue of YARN's scheduler")
    pre_activity_task_config: ShellScriptConfig | None = Field(default=None, description="script before Hive's")
    post_activity_task_config: ShellScriptConfig | None = Field(default=None, description="script after Hive's")
    generated_scripts_path: str | None = Field(default=None, description="`s3://…` folder for a copy of what was run")
    resize_cluster_before_running: Switch = Field(default=False, description="only for managed clusters; not used here")
    resize_cluster_max_instances: int | None = Field(default=None, description="only for managed clusters")

    @model_validator(mode="after")
    def _one_script(self) -> Self:
        self.demand_one_of(hiveScript=self.hive_script, scriptUri=self.script_uri)
        return self


def run(parameters: HiveActivityParameters, context: StepContext) -> StepResult:
    """Run the script before, Hive's, the script after.

    Raises:
        ParameterError: a node cannot be the table that the script wants; nothing was run of Hive then.
        NotFound: an input is not there.
        ProgramMissing, ScriptNotFound, CommandFailed, CommandKilled: the message says which.
    """
    given = script_variables(parameters.script_variable)
    with open_cluster(
        parameters.label, context, job_settings(parameters.hadoop_queue, parameters.output), needs="hive"
    ) as cluster:
        run_config(cluster, parameters.pre_activity_task_config, "preActivityTaskConfig")
        script = script_text(cluster, parameters.hive_script, parameters.script_uri)
        staged = StagedTables()
        if parameters.stage:
            staged = stage(script, parameters.input, parameters.output, cluster)
        known = {**given, **staged.variables}
        own = quote_columns(script, staged.columns)
        whole = assemble([*staged.before, *variables(known)], own, staged.after)
        rows = HiveRun(cluster, parameters.generated_scripts_path).run(whole, known)
        rows += sum(output.load().rows or 0 for output in staged.outputs)
        run_config(cluster, parameters.post_activity_task_config, "postActivityTaskConfig")
    return StepResult(rows=rows or None, details={"tables": sorted(staged.variables)})


STEP = Step(
    name="hive-activity",
    summary="Run the Hive script of a HiveActivity on the cluster's primary node.",
    parameters=HiveActivityParameters,
    run=run,
)
