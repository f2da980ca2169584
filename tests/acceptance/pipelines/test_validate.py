"""``ductrunner pipeline validate`` and ``show`` on a machine where nothing runs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Ductrunner = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def pipeline(ductrunner: Ductrunner, tmp_path: Path) -> Ductrunner:
    """``ductrunner pipeline …`` where no sandbox is."""
    nowhere = {"DUCTRUNNER_SANDBOX_STATE": str(tmp_path / "none")}
    return lambda *words: ductrunner("pipeline", *map(str, words), environment=nowhere)


def test_errors_and_warnings_are_printed_and_the_exit_status_tells(pipeline: Ductrunner, tmp_path: Path) -> None:
    good = {"id": "A", "type": "ShellCommandActivity", "command": "true", "workerGroup": "g"}
    default = {"id": "Default", "scheduleType": "ondemand"}
    path = tmp_path / "d.json"
    path.write_text(json.dumps({"objects": [default, good]}))
    done = pipeline("validate", path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "WARNING: Default: 'pipelineLogUri'is missing." in done.stdout
    path.write_text(json.dumps({"objects": [default, {**good, "command": ["a", "b"], "scriptUri": "s3://b/k"}]}))
    done = pipeline("validate", path)
    assert done.returncode == 2
    assert "ERROR: A: " in done.stdout
    answer = json.loads(pipeline("validate", path, "--json").stdout)
    assert answer["errored"] is True
    assert answer["validationErrors"][0]["id"] == "A"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"objects": [', "is not JSON"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"[1]", "has no"),
        (b'"text"', "is not a pipeline definition"),
        (b'{"objects": [{"id": "A", "command": {"reff": "B"}}]}', "'command' of 'A'"),
        (b'{"objects": [{"id": "A", "command": null}]}', "'command' of 'A'"),
        (b'{"objects": [], "values": {"myX": {}}}', "'myX'"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_file_that_is_no_definition_is_refused_in_one_sentence(
    pipeline: Ductrunner, tmp_path: Path, content: bytes, told: str
) -> None:
    path = tmp_path / "d.json"
    path.write_bytes(content)
    done = pipeline("validate", path)
    assert done.returncode == 2
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_show_writes_the_api_form_as_the_cli_form_and_reads_its_own_writing(
    pipeline: Ductrunner, tmp_path: Path
) -> None:
    api = {
        "pipelineObjects": [
            {"id": "Default", "name": "Default", "fields": [{"key": "scheduleType", "stringValue": "ondemand"}]},
            {
                "id": "A",
                "name": "Ähre",
                "fields": [
                    {"key": "type", "stringValue": "ShellCommandActivity"},
                    {"key": "scriptArgument", "stringValue": "1"},
                    {"key": "scriptArgument", "stringValue": "2"},
                    {"key": "*password", "stringValue": "hunter-two"},
                    {"key": "input", "refValue": "N"},
                ],
            },
        ],
        "parameterObjects": [{"id": "myX", "attributes": [{"key": "type", "stringValue": "String"}]}],
        "parameterValues": [{"id": "myX", "stringValue": "a"}, {"id": "myX", "stringValue": "b"}],
    }
    path = tmp_path / "api.json"
    path.write_text(json.dumps(api))
    shown = pipeline("show", path)
    assert shown.returncode == 0, shown.stderr
    written = json.loads(shown.stdout)
    assert written["objects"][1] == {
        "id": "A",
        "name": "Ähre",
        "type": "ShellCommandActivity",
        "scriptArgument": ["1", "2"],
        "*password": "[redacted]",
        "input": {"ref": "N"},
    }
    assert written["parameters"] == [{"id": "myX", "type": "String"}]
    assert written["values"] == {"myX": ["a", "b"]}
    path.write_text(shown.stdout)
    assert pipeline("show", path).stdout == shown.stdout


def test_keys_given_twice_and_parts_that_are_none_are_told(pipeline: Ductrunner, tmp_path: Path) -> None:
    path = tmp_path / "d.json"
    path.write_text(
        '{"objects": [{"id": "Default", "scheduleType": "cron", "scheduleType": "ondemand"}], "objets": []}'
    )
    done = pipeline("validate", path)
    assert "'scheduleType' is given more than once" in done.stderr
    assert "'objets' is not part of a definition" in done.stderr


def test_parameters_and_values_may_stand_in_files_of_their_own(pipeline: Ductrunner, tmp_path: Path) -> None:
    activity = {"id": "A", "type": "ShellCommandActivity", "command": "#{myX}", "workerGroup": "g"}
    default = {"id": "Default", "scheduleType": "ondemand", "pipelineLogUri": "s3://b/"}
    (tmp_path / "d.json").write_text(json.dumps({"objects": [default, activity]}))
    (tmp_path / "p.json").write_text(json.dumps({"parameters": [{"id": "myX", "type": "Integer"}]}))
    (tmp_path / "v.json").write_text(json.dumps({"values": {"myX": "one"}}))
    done = pipeline(
        "validate", tmp_path / "d.json", "--parameters", tmp_path / "p.json", "--values", tmp_path / "v.json"
    )
    assert done.returncode == 2
    assert "ERROR: myX: the value is not a whole number" in done.stdout


def test_line_ends_inside_texts_are_read_and_told(pipeline: Ductrunner, tmp_path: Path) -> None:
    path = tmp_path / "d.json"
    path.write_text('{"objects": [{"id": "Default", "scheduleType": "ondemand", "myNote": "two\nlines"}]}')
    done = pipeline("validate", path)
    assert done.returncode == 0, done.stderr
    assert "line 1 has a line end or a tab inside a text" in done.stderr
