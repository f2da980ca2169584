"""``ductrunner pipeline`` against a whole sandbox, with the agents that it starts itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest

from tests.conftest import CHECKOUT, RunningSandbox

Write = Callable[..., Path]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a definition file: objects by id, with fields of Default."""

    def written(name: str = "made", default: dict[str, Any] | None = None, **objects: dict[str, Any]) -> Path:
        base = {"id": "Default", "scheduleType": "ondemand", "workerGroup": name, "maximumRetries": "0"}
        path = tmp_path / f"{name}.json"
        listed = [{**base, **(default or {})}, *({"id": each, **fields} for each, fields in objects.items())]
        path.write_text(json.dumps({"objects": listed}))
        return path

    return written


@pytest.fixture
def pipeline(sandbox: RunningSandbox, tmp_path: Path) -> Run:
    """``ductrunner pipeline …`` with the sandbox's environment; agents keep their files in the test's folder."""

    def run(command: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
        more = ("--output", str(tmp_path / "out")) if command == "run" else ()
        return sandbox.ductrunner("pipeline", command, *map(str, words), *more)

    return run


def shell(command: str, **fields: Any) -> dict[str, Any]:
    return {"type": "ShellCommandActivity", "command": command, **fields}


def agents_of(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "agent" in words and any(str(folder) in word for word in words):
            found.append(process)
    return found


def test_a_run_starts_an_agent_prints_its_steps_and_leaves_no_process(
    pipeline: Run, write: Write, tmp_path: Path
) -> None:
    path = write(A=shell("echo hello"), B=shell("echo after", dependsOn={"ref": "A"}))
    done = pipeline("run", path)
    assert done.returncode == 0, done.stderr
    head, *rows = [line.split() for line in done.stdout.splitlines()[:3]]
    assert head == ["STEP", "TYPE", "ATTEMPTS", "STATUS", "TIME", "ROWS"]
    assert [(row[0], row[3]) for row in rows] == [("A", "FINISHED"), ("B", "FINISHED")]
    [output] = (tmp_path / "out" / "logs").rglob("@A_*/*/StdOutput")
    assert output.read_text() == "hello\n"
    assert str(tmp_path / "out" / "logs") in done.stdout
    assert agents_of(tmp_path) == []


def test_a_message_that_cannot_be_sent_is_shown_and_fails_nothing(pipeline: Run, write: Write) -> None:
    alarm = {"type": "SnsAlarm", "role": "r", "topicArn": "arn:aws:sns:us-east-1:28619EXAMPLE:ExampleTopic"}
    path = write(
        "telling", A=shell("true", onSuccess={"ref": "Told"}), Told={**alarm, "subject": "s", "message": "#{node.name}"}
    )
    done = pipeline("run", path)
    assert done.returncode == 0, done.stderr
    assert "ExampleTopic" in done.stdout


def test_what_failed_is_told_with_its_error_and_last_lines_and_what_waits_for_it_does_not_hang(
    pipeline: Run, write: Write
) -> None:
    path = write("failing", A=shell("echo broken pipe >&2; exit 4"), B=shell("true", dependsOn={"ref": "A"}))
    done = pipeline("run", path)
    assert done.returncode == 1
    assert "FAILED: CommandFailed" in done.stdout
    assert "exit status 4" in done.stdout
    assert "broken pipe" in done.stdout
    assert "B never starts: it waits for @A_" in done.stdout


def test_an_invalid_definition_is_refused_and_leaves_no_pipeline(
    pipeline: Run, write: Write, sandbox: RunningSandbox
) -> None:
    path = write("invalid", A={"type": "ShellCommandActivity", "comand": "true"})
    done = pipeline("run", path)
    assert done.returncode == 2
    assert "ERROR: A: " in done.stderr
    assert "invalid" not in [entry["name"] for entry in pipelines_of(sandbox)]


def pipelines_of(sandbox: RunningSandbox) -> list[dict[str, str]]:
    variables = sandbox.environment
    client = boto3.client(
        "datapipeline",
        endpoint_url=variables["AWS_ENDPOINT_URL_DATA_PIPELINE"],
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )
    listed: list[dict[str, str]] = (
        client.get_paginator("list_pipelines").paginate().build_full_result()["pipelineIdList"]
    )
    return listed


def test_parameters_come_from_flags_and_files_and_a_missing_one_is_named(
    pipeline: Run, tmp_path: Path, sandbox: RunningSandbox
) -> None:
    path = tmp_path / "parameters.json"
    objects = [
        {"id": "Default", "scheduleType": "ondemand", "workerGroup": "parameters"},
        {"id": "A", **shell('echo "$1|$2|$3"', scriptArgument=["#{myName}", "#{myDays}"])},
    ]
    parameters = [
        {"id": "myName", "type": "String"},
        {"id": "myDays", "type": "String", "isArray": "true", "default": ["mon"]},
    ]
    path.write_text(json.dumps({"objects": objects, "parameters": parameters}))
    values = tmp_path / "values.json"
    values.write_text(json.dumps({"values": {"myName": "from the file", "myDays": ["tue"]}}))

    missing = pipeline("run", path)
    assert missing.returncode == 2
    assert "myName" in missing.stderr
    wrong = pipeline("run", path, "-p", "myNam=x")
    assert wrong.returncode == 2
    assert "did you mean 'myName'?" in wrong.stderr
    done = pipeline("run", path, "--values", values, "-p", "myDays=wed", "-p", "myDays=thu")
    assert done.returncode == 0, done.stderr
    [output] = (tmp_path / "out" / "logs").rglob("StdOutput")
    assert output.read_text() == "from the file|wed|thu\n"


def test_a_secret_is_read_from_where_its_value_says_and_printed_nowhere(
    pipeline: Run, tmp_path: Path, sandbox: RunningSandbox
) -> None:
    path = tmp_path / "secret.json"
    objects = [
        {"id": "Default", "scheduleType": "ondemand", "workerGroup": "secret", "maximumRetries": "0"},
        {"id": "A", **shell("echo #{*myPassword} | wc -c; echo #{*myPassword} >&2; exit 1")},
    ]
    path.write_text(json.dumps({"objects": objects, "parameters": [{"id": "*myPassword", "type": "String"}]}))
    secret = tmp_path / "password"
    secret.write_text("correct-horse-battery\n")
    secret.chmod(0o600)
    done = pipeline("run", path, "-p", f"myPassword=file:{secret}")
    assert done.returncode == 1
    assert "correct-horse" not in done.stdout + done.stderr
    [output] = (tmp_path / "out" / "logs").rglob("StdOutput")
    assert output.read_text() == "22\n"
    shown = pipeline("show", "secret")
    assert "correct-horse" not in shown.stdout


def test_a_secret_that_is_given_on_the_command_line_cannot_be_read_there(
    tmp_path: Path, sandbox: RunningSandbox
) -> None:
    path = tmp_path / "argv.json"
    default = {"id": "Default", "scheduleType": "ondemand", "workerGroup": "argv", "maximumRetries": "0"}
    work = {"id": "A", **shell("test #{*myPassword} = correct-horse-battery")}
    path.write_text(json.dumps({"objects": [default, work], "parameters": [{"id": "*myPassword", "type": "String"}]}))
    words = ["pipeline", "run", str(path), "-p", "*myPassword=correct-horse-battery", "--output", str(tmp_path / "out")]
    own = {**os.environ, **sandbox.environment}
    command = [sys.executable, "-m", "ductrunner", *words]
    with subprocess.Popen(command, env=own, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "runs as" in next(line for line in process.stderr if "runs as" in line)
        shown = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        process.communicate()
    assert b"pipeline" in shown
    assert b"correct-horse" not in shown
    assert process.returncode == 0


@pytest.fixture
def own_agent(sandbox: RunningSandbox, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """An agent of the user for the group ``served``."""
    command = [sys.executable, "-m", "ductrunner", "agent", "--workerGroup=served", f"--output={tmp_path / 'own'}"]
    environment = {**os.environ, **sandbox.environment}
    with (tmp_path / "own.log").open("wb") as log:
        agent = subprocess.Popen(command, env=environment, cwd=CHECKOUT, stdout=log, stderr=log)
    yield agent
    agent.send_signal(signal.SIGTERM)
    assert agent.wait(30) == 0


def test_a_group_that_an_agent_serves_is_left_to_it(
    pipeline: Run, write: Write, own_agent: subprocess.Popen[bytes]
) -> None:
    done = pipeline("run", write("served", A=shell("true")), "--no-agent")
    assert done.returncode == 0, done.stderr
    done = pipeline("run", write("served", A=shell("sleep 2"), B=shell("sleep 2"), C=shell("sleep 2")))
    assert done.returncode == 0, done.stderr
    assert "nobody serves" not in done.stderr
    assert own_agent.poll() is None


def test_an_interrupt_cancels_what_has_not_ended_and_says_so(
    sandbox: RunningSandbox, write: Write, tmp_path: Path
) -> None:
    path = write("long", A=shell("sleep 600"), B=shell("true", dependsOn={"ref": "A"}))
    command = [sys.executable, "-m", "ductrunner", "pipeline", "run", str(path), "--output", str(tmp_path / "out")]
    environment = {**os.environ, **sandbox.environment}
    run = subprocess.Popen(
        command, env=environment, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert run.stderr is not None
    for line in run.stderr:
        if "RUNNING" in line:
            break
    run.send_signal(signal.SIGINT)
    stdout, stderr = run.communicate(timeout=60)
    assert run.returncode == 128 + signal.SIGINT
    assert "interrupted: what has not ended is canceled" in stderr
    assert stdout.count("CANCELED") >= 2
    assert agents_of(tmp_path) == []


def test_nothing_is_sent_to_aws_unless_a_flag_says_so(ductrunner: Run, write: Write, tmp_path: Path) -> None:
    path = write(A=shell("true"))
    only = {"AWS_ENDPOINT_URL_DATA_PIPELINE": "http://127.0.0.1:9"}
    far = {**only, "AWS_ENDPOINT_URL": "https://s3.example.com"}
    for environment in (only, far):
        done = ductrunner("pipeline", "run", path, environment=environment)
        assert (done.returncode, "--aws" in done.stderr) == (2, True), done.stderr
    nothing = ductrunner("pipeline", "run", path, environment={"DUCTRUNNER_SANDBOX_STATE": str(tmp_path / "none")})
    assert nothing.returncode == 1
    assert "ductrunner sandbox up" in nothing.stderr
    asked = ductrunner("pipeline", "activate", path, "--aws", environment=far, stdin=subprocess.DEVNULL)
    assert asked.returncode == 2
    assert "--yes" in asked.stderr


def test_of_a_schedule_without_an_end_the_first_runs_are_awaited_and_then_it_is_deactivated(
    pipeline: Run, write: Write
) -> None:
    schedule = {"type": "Schedule", "period": "1 day", "startDateTime": "2026-01-01T00:00:00"}
    path = write("endless", {"scheduleType": "cron", "schedule": {"ref": "S"}}, S=schedule, A=shell("true"))
    once = pipeline("run", path)
    assert once.returncode == 0, once.stderr
    assert "its schedule goes on without an end: the first run of each step is awaited" in once.stderr
    assert once.stdout.count("FINISHED") == 1
    done = pipeline("run", path, "--occurrences", "2")
    assert done.returncode == 0, done.stderr
    assert "without an end" not in done.stderr
    assert [line.split()[1] for line in done.stdout.splitlines() if line.startswith("A ")] == [
        "2026-01-01T00:00:00",
        "2026-01-02T00:00:00",
    ]
    assert json.loads(pipeline("status", "endless", "--json").stdout)["@pipelineState"] in {"DEACTIVATING", "INACTIVE"}


def test_all_occurrences_of_a_schedule_with_an_end_are_awaited(pipeline: Run, write: Write) -> None:
    schedule = {
        "type": "Schedule",
        "period": "1 day",
        "startDateTime": "2026-01-01T00:00:00",
        "endDateTime": "2026-01-04T00:00:00",
    }
    default = {"scheduleType": "timeseries", "schedule": {"ref": "S"}}
    done = pipeline("run", write("ending", default, S=schedule, A=shell("true")))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("FINISHED") == 3


def test_time_in_which_nothing_is_to_be_done_is_skipped(pipeline: Run, write: Write) -> None:
    schedule = {"type": "Schedule", "period": "1 day", "startAt": "FIRST_ACTIVATION_DATE_TIME", "occurrences": "3"}
    path = write(
        "daily",
        {"scheduleType": "timeseries", "schedule": {"ref": "S"}},
        S=schedule,
        A=shell("echo #{@scheduledStartTime}"),
    )
    done = pipeline("run", path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("FINISHED") == 3
    assert "the sandbox's clock goes there" in done.stderr


def test_retry_delays_are_skipped_too(pipeline: Run, write: Write) -> None:
    path = write("retried", {"retryDelay": "3 hours"}, A=shell("exit 3", maximumRetries="2"))
    done = pipeline("run", path)
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines()[1].split()[2:4] == ["3", "FAILED"]
    assert "attempt 1: CommandFailed: the command ended with exit status 3; it is tried again" in done.stderr


def test_a_field_that_is_written_more_than_once_has_several_values(pipeline: Run, tmp_path: Path) -> None:
    path = tmp_path / "repeated.json"
    path.write_text(
        """{"objects": [{"id": "Default", "scheduleType": "ondemand", "workerGroup": "repeated"},
        {"id": "A", "type": "ShellCommandActivity", "command": "echo $1 $2",
         "scriptArgument": "one", "scriptArgument": "two"}]}"""
    )
    done = pipeline("run", path)
    assert done.returncode == 0, done.stderr
    assert "'scriptArgument' is given more than once" in done.stderr
    [output] = (tmp_path / "out" / "logs").rglob("StdOutput")
    assert output.read_text() == "one two\n"


def test_status_activate_and_cancel_work_on_a_pipeline_by_its_name(pipeline: Run, write: Write) -> None:
    path = write("stays", A=shell("true"))
    activated = pipeline("activate", path)
    assert activated.returncode == 0, activated.stderr
    told = json.loads(pipeline("status", "stays", "--json").stdout)
    assert told["id"] == activated.stdout.strip()
    assert [(step["component"], step["status"]) for step in told["steps"]] == [("A", "WAITING_FOR_RUNNER")]
    assert "1 canceled" in pipeline("cancel", "stays").stdout
    assert "CANCELED" in pipeline("status", told["id"]).stdout
    missing = pipeline("status", "no such pipeline")
    assert missing.returncode == 1
    assert "no pipeline named" in missing.stderr


def test_the_hook_activate_pipeline_changes_a_definition_and_learns_the_id(
    pipeline: Run, write: Write, sandbox: RunningSandbox, ductrunner: Run, tmp_path: Path
) -> None:
    hooks = tmp_path / "hooks"
    hooks.mkdir(mode=0o755)
    (hooks / "activate_pipeline.py").write_text(
        "def before_hook(name, definition):\n"
        "    definition['pipelineObjects'][1]['id'] = 'Renamed'\n"
        "    return (), {'name': 'staging_' + name, 'definition': definition}\n"
        "def after_hook(pipeline_id):\n"
        f"    open({str(tmp_path / 'told')!r}, 'w').write(pipeline_id)\n"
    )
    (hooks / "activate_pipeline.py").chmod(0o644)
    around = {**sandbox.environment, "DUCTRUNNER_ETL_HOOKS_BASE_PATH": str(hooks)}
    activated = ductrunner("pipeline", "activate", write("hooked", A=shell("true")), environment=around)
    assert activated.returncode == 0, activated.stderr
    assert (tmp_path / "told").read_text() == activated.stdout.strip()
    told = json.loads(pipeline("status", "staging_hooked", "--json").stdout)
    assert [step["component"] for step in told["steps"]] == ["Renamed"]
    (hooks / "activate_pipeline.py").write_text("def before_hook(**given):\n    raise ValueError('not on a Friday')\n")
    refused = ductrunner("pipeline", "activate", write("unwanted", A=shell("true")), environment=around)
    assert refused.returncode == 1
    assert "before_hook raised ValueError: not on a Friday" in refused.stderr
    assert pipeline("status", "unwanted").returncode == 1


@pytest.mark.parametrize("schedule", ["ondemand", "cron"])
def test_what_waits_in_vain_on_a_managed_resource_does_not_hang(pipeline: Run, write: Write, schedule: str) -> None:
    hourly = {"type": "Schedule", "period": "1 hour", "startDateTime": "2012-12-12T00:00:00", "occurrences": "8"}
    path = write(
        f"vain-{schedule}",
        {"scheduleType": schedule} | ({"schedule": {"ref": "Hourly"}} if schedule == "cron" else {}),
        Machine={"type": "Ec2Resource", "role": "r", "resourceRole": "rr"},
        A=shell("exit 4", runsOn={"ref": "Machine"}),
        B=shell("true", dependsOn={"ref": "A"}, runsOn={"ref": "Machine"}),
        **({"Hourly": hourly} if schedule == "cron" else {}),
    )
    done = pipeline("run", path, "--timeout", "60")
    assert done.returncode == 1, done.stderr
    assert "not done after" not in done.stderr
    assert done.stdout.count("FAILED: CommandFailed") == (8 if schedule == "cron" else 1)
