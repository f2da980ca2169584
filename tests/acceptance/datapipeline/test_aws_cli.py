"""The public ``aws`` command drives the service, with nothing but an endpoint in its environment."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

DEFINITION = {
    "objects": [
        {"id": "Default", "name": "Default", "scheduleType": "ondemand", "maximumRetries": "0"},
        {"id": "Source", "type": "S3DataNode", "directoryPath": "s3://bucket/#{myDay}/"},
        {
            "id": "Copy",
            "type": "ShellCommandActivity",
            "command": "echo #{input.directoryPath}",
            "scriptArgument": ["one", "two"],
            "input": {"ref": "Source"},
            "workerGroup": "cli",
        },
        {
            "id": "Check",
            "type": "ShellCommandActivity",
            "command": "true",
            "dependsOn": {"ref": "Copy"},
            "workerGroup": "cli",
        },
    ],
    "parameters": [{"id": "myDay", "type": "String", "default": "monday"}],
    "values": {"myDay": "tuesday"},
}

Aws = Callable[..., Any]


@pytest.fixture
def aws(datapipeline_environment: str) -> Aws:
    """Run ``aws datapipeline …`` and return its output, parsed where it is JSON."""

    def run(*arguments: str) -> Any:
        command = [str(Path(sys.executable).with_name("aws")), "datapipeline", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        try:
            return json.loads(done.stdout)
        except ValueError:
            return done.stdout

    return run


def finish_next(group: str = "cli") -> dict[str, Any]:
    client = boto3.client("datapipeline")
    task: dict[str, Any] = client.poll_for_task(workerGroup=group)["taskObject"]
    client.set_task_status(taskId=task["taskId"], taskStatus="FINISHED")
    client.close()
    return task


def test_a_pipeline_goes_from_its_file_to_its_runs_by_the_command_line(aws: Aws, tmp_path: Path) -> None:
    file = tmp_path / "pipeline.json"
    file.write_text(json.dumps(DEFINITION))
    pipeline = aws("create-pipeline", "--name", "by hand", "--unique-id", str(tmp_path))["pipelineId"]
    put = aws("put-pipeline-definition", "--pipeline-id", pipeline, "--pipeline-definition", f"file://{file}")
    assert put["errored"] is False
    kept = aws("get-pipeline-definition", "--pipeline-id", pipeline)
    assert {entry["id"]: entry for entry in kept["objects"]}["Copy"]["scriptArgument"] == ["one", "two"]
    assert kept["values"] == {"myDay": "tuesday"}
    aws("activate-pipeline", "--pipeline-id", pipeline, "--parameter-values", "myDay=friday")
    task = finish_next()
    fields = task["objects"][task["attemptId"]]["fields"]
    assert {"key": "command", "stringValue": "echo s3://bucket/friday/"} in fields
    runs = aws("list-runs", "--pipeline-id", pipeline)
    assert "Copy" in runs
    assert "FINISHED" in runs
    assert "WAITING_FOR_RUNNER" in runs
    waiting = aws("query-objects", "--pipeline-id", pipeline, "--sphere", "INSTANCE", "--query", "ids")
    described = aws("describe-objects", "--pipeline-id", pipeline, "--object-ids", *waiting)
    assert len(described["pipelineObjects"]) == 3
    finish_next()
    state = aws(
        "describe-pipelines",
        *("--pipeline-ids", pipeline, "--query"),
        "pipelineDescriptionList[0].fields[?key=='@pipelineState'].stringValue",
    )
    assert state == ["FINISHED"]
    aws("add-tags", "--pipeline-id", pipeline, "--tags", "key=team,value=data")
    listed = aws("list-pipelines")["pipelineIdList"]
    assert {"id": pipeline, "name": "by hand"} in listed
    aws("delete-pipeline", "--pipeline-id", pipeline)


def test_list_runs_shows_more_runs_than_one_description_may_hold(aws: Aws, tmp_path: Path) -> None:
    activities = [
        {"id": f"A{n}", "type": "ShellCommandActivity", "command": "true", "workerGroup": "many"} for n in range(30)
    ]
    file = tmp_path / "pipeline.json"
    file.write_text(json.dumps({"objects": [DEFINITION["objects"][0], *activities]}))
    pipeline = aws("create-pipeline", "--name", "many", "--unique-id", str(tmp_path))["pipelineId"]
    aws("put-pipeline-definition", "--pipeline-id", pipeline, "--pipeline-definition", f"file://{file}")
    aws("activate-pipeline", "--pipeline-id", pipeline)
    runs = aws("list-runs", "--pipeline-id", pipeline, "--status", "waiting_for_runner")
    assert sum(f"@A{n}_" in runs for n in range(30)) == 30
    aws("delete-pipeline", "--pipeline-id", pipeline)


def test_list_runs_shows_every_occurrence_of_a_schedule(aws: Aws, tmp_path: Path) -> None:
    begin = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    starts = [f"{begin + timedelta(hours=number):%Y-%m-%dT%H:%M:%S}" for number in range(2)]
    definition = [
        {"id": "Default", "scheduleType": "timeseries", "schedule": {"ref": "Hourly"}, "workerGroup": "hourly"},
        {"id": "Hourly", "type": "Schedule", "period": "1 hour", "startDateTime": starts[0], "occurrences": "2"},
        {"id": "Work", "type": "ShellCommandActivity", "command": "true"},
    ]
    file = tmp_path / "pipeline.json"
    file.write_text(json.dumps({"objects": definition}))
    pipeline = aws("create-pipeline", "--name", "hourly", "--unique-id", str(tmp_path))["pipelineId"]
    aws("put-pipeline-definition", "--pipeline-id", pipeline, "--pipeline-definition", f"file://{file}")
    aws("activate-pipeline", "--pipeline-id", pipeline)
    runs = aws("list-runs", "--pipeline-id", pipeline)
    assert [start for start in starts if f"@Work_{start}" in runs] == starts[:1]  # the next in five minutes, as on AWS
    assert runs.count("WAITING_FOR_RUNNER") == 1
    finish_next("hourly")
    assert "FINISHED" in aws("list-runs", "--pipeline-id", pipeline, "--schedule-interval", f"{starts[0]},{starts[0]}")
    aws("delete-pipeline", "--pipeline-id", pipeline)
