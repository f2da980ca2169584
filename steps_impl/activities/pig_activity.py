"""``pig-activity``: PigActivity, a script of Pig Latin on the cluster's own ``pig``.

Source: Developer Guide, *PigActivity*. With ``stage`` the data nodes are relations: inputs are loaded before the
script, outputs stored after it. The page's text writes ``${INPUT1}``, its examples ``${input1}``: both are known.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from steps_impl.activities.cluster import Cluster, ShellScriptConfig, open_cluster, run_config
from steps_impl.activities.cluster.files import keep_script, script_text
from steps_impl.activities.objects.base import ActivityParameters, Several, Switch
from steps_impl.activities.objects.nodes import DataNode
from steps_impl.activities.pig.parameters import parameter_file, script_variables
from steps_impl.activities.pig.staging import StagedRelations, stage
from steps_impl.contract import StepContext, StepResult
from steps_impl.registry import Step


class PigActivityParameters(ActivityParameters):
    """The fields of PigActivity."""

    type: Literal["PigActivity"] = Field(default="PigActivity", description="always `PigActivity`")
    script: str | None = Field(default=None, description="the script; or `scriptUri`")
    script_uri: str | None = Field(default=None, description="`s3://…` of the script")
    script_variable: Several[str] = Field(default=(), description="`name=value`, once per parameter of the script")
    stage: Switch = Field(default=False, description="make relations of the data nodes")
    input: Several[DataNode] = Field(default=(), description="relations `${input1}` …")
    output: Several[DataNode] = Field(default=(), description="relations `${output1}` …")
    pre_activity_task_config: ShellScriptConfig | None = Field(default=None, description="script before Pig's")
    post_activity_task_config: ShellScriptConfig | None = Field(default=None, description="script after Pig's")
    generated_scripts_path: str | None = Field(default=None, description="`s3://…` folder for a copy of what was run")
    resize_cluster_before_running: Switch = Field(default=False, description="only for managed clusters; not used here")
    resize_cluster_max_instances: int | None = Field(default=None, description="only for managed clusters")

    @model_validator(mode="after")
    def _one_script(self) -> Self:
        self.demand_one_of(script=self.script, scriptUri=self.script_uri)
        return self


def run(parameters: PigActivityParameters, context: StepContext) -> StepResult:
    """Run the script before, Pig's, the script after.

    Raises:
        ParameterError: a node cannot be a relation; nothing was run of Pig then.
        NotFound: an input is not there.
        ProgramMissing, ScriptNotFound, CommandFailed, CommandKilled: the message says which.
    """
    variables = script_variables(parameters.script_variable, parameters.label)
    with open_cluster(parameters.label, context, needs="pig") as cluster:
        run_config(cluster, parameters.pre_activity_task_config, "preActivityTaskConfig")
        script = script_text(cluster, parameters.script, parameters.script_uri)
        staged = StagedRelations()
        if parameters.stage:
            staged = stage(cluster, script, parameters.input, parameters.output)
        try:
            _run_pig(cluster, parameters, script, staged, variables)
            rows = staged.finish()
        finally:
            staged.discard()
        run_config(cluster, parameters.post_activity_task_config, "postActivityTaskConfig")
    return StepResult(rows=rows or None, details={"relations": sorted(set(staged.parameters.values()))})


def _run_pig(
    cluster: Cluster,
    parameters: PigActivityParameters,
    script: str,
    staged: StagedRelations,
    variables: dict[str, str],
) -> None:
    whole = "\n".join([*staged.before, script, *staged.after]) + "\n"
    path = keep_script(cluster, "script.pig", whole, parameters.generated_scripts_path)
    values = cluster.write_private("parameters", parameter_file({**variables, **staged.parameters}))
    cluster.run([cluster.program("pig"), "-param_file", values, "-f", path], "the Pig script")


STEP = Step(
    name="pig-activity",
    summary="Run the script of a PigActivity on the cluster's primary node.",
    parameters=PigActivityParameters,
    run=run,
)
