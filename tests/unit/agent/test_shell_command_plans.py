"""The plan of a ShellCommandActivity: what is staged under which number, what is refused by name."""

from __future__ import annotations

from threading import Event

import pytest

from agent.plans.registry import make_plan
from agent.task import Field, Objects, PipelineObject, Task
from agent.workspace import Workspace
from core.errors import TaskMalformed

NODES = {
    "In1": {"type": "S3DataNode", "filePath": "s3://b/in/a.csv"},
    "Table": {"type": "SqlDataNode", "table": "t"},
    "In3": {"type": "S3DataNode", "directoryPath": "s3://b/in3", "compression": "gzip", "myNote": "x"},
    "File": {"type": "S3DataNode", "filePath": "s3://b/out/file"},
    "Out2": {"type": "S3DataNode", "directoryPath": "s3://b/out2/", "s3EncryptionType": "none"},
    "Manifest": {"type": "S3DataNode", "manifestFilePath": "s3://b/manifest"},
    "Both": {"type": "S3DataNode", "filePath": "s3://b/a", "directoryPath": "s3://b/b"},
    "Odd": {"type": "S3DataNode", "filePath": "s3://b/a", "direktoryPath": "s3://b/b"},
    "Job": {"type": "EmrActivity"},
}


def item(name, fields):
    return PipelineObject(name, name, tuple(Field(key, value, is_reference=False) for key, value in fields.items()))


def plan(tmp_path, inputs=(), outputs=(), **fields):
    """The plan of a command with these fields and nodes, and its workspace."""
    given = {"type": "ShellCommandActivity", "command": "true", **fields}
    own = tuple(Field(key, value, is_reference=False) for key, value in given.items() if value is not None)
    own += tuple(Field("input", name, is_reference=True) for name in inputs)
    own += tuple(Field("output", name, is_reference=True) for name in outputs)
    attempt = PipelineObject("@Work_T_Attempt=1", "Work", own)
    objects = {name: item(name, node) for name, node in NODES.items()}
    task = Task("t", "df-1", attempt, {attempt.id: attempt, **objects})
    workspace = Workspace(tmp_path, task, "0" * 16)
    workspace.create()
    return make_plan(task, Objects(task, None, Event()), workspace)


def test_nodes_keep_their_number_also_behind_one_that_is_not_staged(tmp_path):
    made = plan(tmp_path, ["In1", "Table", "In3"], ["File", "Out2"], stage="true")
    assert sorted(made.environment) == ["INPUT1_STAGING_DIR", "INPUT3_STAGING_DIR", "OUTPUT2_STAGING_DIR"]
    assert [(node.uri, node.is_directory) for node in made.inputs] == [("s3://b/in/a.csv", False), ("s3://b/in3", True)]
    assert [(node.uri, node.sse) for node in made.outputs] == [("s3://b/out2/", False)]


def test_an_empty_argument_is_an_argument(tmp_path):
    assert plan(tmp_path, scriptArgument="").argv == ("",)


@pytest.mark.parametrize("stage", ["true", "True", "TRUE", " true "])
def test_stage_is_read_in_any_case(tmp_path, stage):
    assert plan(tmp_path, ["In1"], stage=stage).inputs


@pytest.mark.parametrize("stage", [None, "", "false", "FALSE", "yes", "1"])
def test_without_stage_no_node_is_looked_at(tmp_path, stage):
    made = plan(tmp_path, ["In1", "Job", "Both"], ["Odd"], stage=stage)
    assert (made.inputs, made.outputs, dict(made.environment)) == ((), (), {})


@pytest.mark.parametrize(
    ("node", "words"),
    [
        ("Manifest", "Manifest must have 'filePath' or 'directoryPath'; it has neither"),
        ("Both", "Both must have 'filePath' or 'directoryPath'; it has both"),
        ("Odd", r"Odd \(S3DataNode\) has the field 'direktoryPath', which is not known here; known are: compression"),
        ("Job", "Job is of type 'EmrActivity'; data nodes are: DynamoDBDataNode, MySqlDataNode"),
    ],
)
def test_a_node_that_cannot_be_staged_is_named(tmp_path, node, words):
    with pytest.raises(TaskMalformed, match=words):
        plan(tmp_path, [node], stage="true")


def test_an_unknown_field_is_named_with_those_that_are_known(tmp_path):
    words = r"Work \(ShellCommandActivity\) has the field 'scriptArguments'.*known are: command, input, output, script"
    with pytest.raises(TaskMalformed, match=words):
        plan(tmp_path, scriptArguments="x")


@pytest.mark.parametrize(
    "field",
    [
        *(
            "@status",
            "@anything",
            "*@odd",
            "myNote",
            "my_note",
            "*myToken",
            "_own",
            "role",
            "resourceRole",
            "runsOn",
            "schedule",
        ),
        *("onFail", "precondition", "lateAfterTimeout", "terminateAfter", "subnetId", "region", "description"),
        *("masterInstanceType", "releaseLabel", "imageId", "spotBidPrice"),
        *("attemptStatus", "errorId", "hostname", "maxActiveInstances", "workerGroup", "pipelineLogUri"),
    ],
)
def test_runtime_fields_fields_of_ones_own_and_inherited_ones_are_allowed(tmp_path, field):
    assert plan(tmp_path, **{field: "x"}).script.text == "true"


def test_a_field_of_another_type_is_read_past_and_said(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr("agent.log.event", lambda action, **fields: said.append((action, fields["fields"])))
    assert plan(tmp_path, jarUri="s3://b/x.jar", tableName="t").script.text == "true"
    assert said == [("fields_without_use", ["jarUri", "tableName"])]


@pytest.mark.parametrize("fields", [{"command": None}, {"scriptUri": "s3://b/k"}, {"command": ""}])
def test_exactly_one_of_command_and_script_is_wanted(tmp_path, fields):
    with pytest.raises(TaskMalformed, match="either 'command' or 'scriptUri'"):
        plan(tmp_path, **fields)
