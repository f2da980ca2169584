"""Plans of the activities that a step does: one document with everything the activity refers to."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from agent.plan import Plan
from agent.plans.registry import make_plan
from agent.progress import progress_fields
from agent.source import Handed
from agent.task import Objects, parse_task
from agent.workspace import Workspace
from core.errors import TaskMalformed


def described(object_id: str, *fields: tuple[str, str]) -> dict[str, Any]:
    """An object in API form; a value that begins with ``>`` is a reference."""
    return {
        "id": object_id,
        "name": object_id,
        "fields": [
            {"key": key, "refValue": value[1:]} if value.startswith(">") else {"key": key, "stringValue": value}
            for key, value in fields
        ],
    }


class Service:
    """Describes what it has; counts how often it was asked."""

    def __init__(self, *objects: dict[str, Any]) -> None:
        self.objects = {entry["id"]: entry for entry in objects}
        self.asked: list[list[str]] = []

    def describe(self, pipeline_id: str, ids: Sequence[str]) -> list[dict[str, Any]]:
        self.asked.append(list(ids))
        return [self.objects[name] for name in ids if name in self.objects]


def plan(tmp_path: Path, activity: dict[str, Any], *given: dict[str, Any], service: Service | None = None) -> Plan:
    objects = {entry["id"]: entry for entry in (activity, *given)}
    handed = {"taskId": "t", "pipelineId": "df-1", "attemptId": activity["id"], "objects": objects}
    task = parse_task(Handed("t", handed))
    workspace = Workspace(tmp_path, task, "0" * 16)
    workspace.create()
    source: Any = service or Service()
    return make_plan(task, Objects(task, source, threading.Event()), workspace)


def document(plan: Plan) -> Any:
    return json.loads(Path(plan.argv[-1]).read_text())


COPY = described(
    "@Copy_2030-01-01T00:00:00_Attempt=1",
    ("type", "CopyActivity"),
    ("@componentParent", ">Copy"),
    ("@status", "RUNNING"),
    ("input", ">In"),
    ("output", ">Out1"),
    ("output", ">Out2"),
    ("schedule", ">Hourly"),
    ("precondition", ">Ready"),
    ("maximumRetries", "3"),
    ("myNote", "mine"),
    ("_note", "mine"),
)
NODES = (
    described("In", ("type", "S3DataNode"), ("filePath", "s3://b/in"), ("dataFormat", ">Csv")),
    described("Csv", ("type", "CSV"), ("column", "a INT"), ("column", "b STRING")),
    described("Out1", ("type", "SqlDataNode"), ("table", "t"), ("database", ">Db"), ("runsOn", ">Machine")),
    described("Db", ("type", "JdbcDatabase"), ("username", "u"), ("*password", "a-password-of-8")),
    described("Out2", ("type", "S3DataNode"), ("directoryPath", "s3://b/out")),
)


def test_a_step_gets_one_document_of_all_that_the_activity_refers_to(tmp_path):
    made = plan(tmp_path, COPY, *NODES)
    assert made.argv[:3] == ("ductrunner", "step", "copy-activity")
    assert document(made) == {
        "id": "Copy",
        "name": "@Copy_2030-01-01T00:00:00_Attempt=1",
        "type": "CopyActivity",
        "input": {
            "id": "In",
            "name": "In",
            "type": "S3DataNode",
            "filePath": "s3://b/in",
            "dataFormat": {"id": "Csv", "name": "Csv", "type": "CSV", "column": ["a INT", "b STRING"]},
        },
        "output": [
            {
                "id": "Out1",
                "name": "Out1",
                "type": "SqlDataNode",
                "table": "t",
                "database": {
                    "id": "Db",
                    "name": "Db",
                    "type": "JdbcDatabase",
                    "username": "u",
                    "*password": "a-password-of-8",
                },
            },
            {"id": "Out2", "name": "Out2", "type": "S3DataNode", "directoryPath": "s3://b/out"},
        ],
    }


def test_the_document_is_a_file_of_the_worker_alone_and_no_argument(tmp_path):
    made = plan(tmp_path, COPY, *NODES)
    assert stat.S_IMODE(Path(made.argv[-1]).stat().st_mode) == 0o600
    assert not any("a-password-of-8" in argument for argument in made.argv)


def test_what_was_not_delivered_is_asked_from_the_service(tmp_path):
    service = Service(*NODES)
    assert document(plan(tmp_path, COPY, service=service)) == document(plan(tmp_path / "full", COPY, *NODES))
    assert service.asked


def test_a_reference_that_an_object_inherits_to_itself_is_left_out(tmp_path):
    nodes = (
        described("In", ("type", "S3DataNode"), ("dataFormat", ">Form"), ("input", ">Out1")),
        described("Form", ("type", "CSV"), ("dataFormat", ">Form"), ("input", ">In")),
    )
    made = document(plan(tmp_path, COPY, *nodes, *NODES[2:]))["input"]
    assert made["dataFormat"] == {"id": "Form", "name": "Form", "type": "CSV"}


def test_a_type_that_is_not_known_is_refused_by_name_with_those_that_are(tmp_path):
    work = described("@Work_1_Attempt=1", ("type", "TeaActivity"), ("@componentParent", ">Work"))
    with pytest.raises(TaskMalformed, match=r"Work is of type 'TeaActivity'.*CopyActivity, EmrActivity.*SqlActivity"):
        plan(tmp_path, work)


REPORTED = (("step", "copy"), ("rows", "5"), ("bytes", "70"), ("percentComplete", "50"), ("attemptStatus", "copy"))


def test_what_a_worker_has_reported_is_no_part_of_a_task_that_is_handed_out_again(tmp_path):
    again = {**COPY, "fields": [*COPY["fields"], *described("", *REPORTED)["fields"]]}
    assert document(plan(tmp_path, again, *NODES)) == document(plan(tmp_path / "first", COPY, *NODES))
    shell = described("@Work_1_Attempt=1", ("type", "ShellCommandActivity"), ("command", "true"), *REPORTED)
    assert plan(tmp_path / "shell", shell).script is not None


def test_the_steps_of_an_emr_activity_are_its_work(tmp_path):
    work = described(
        "@Work_1_Attempt=1", ("type", "EmrActivity"), ("step", "a.jar,1"), ("step", "b.jar"), *REPORTED[1:]
    )
    assert document(plan(tmp_path, work))["step"] == ["a.jar,1", "b.jar"]


def test_of_an_emr_activity_no_step_is_reported(tmp_path):
    result = tmp_path / "result.json"
    result.write_text(json.dumps({"status": "running", "progress": {"phase": "step 1 of 2", "rows": 4}}))
    assert "step" not in progress_fields(result, "EmrActivity")
    assert progress_fields(result, "EmrActivity")["attemptStatus"] == "step 1 of 2 rows=4"
    assert progress_fields(result, "CopyActivity")["step"] == "step 1 of 2"
