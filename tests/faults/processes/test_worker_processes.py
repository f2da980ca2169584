"""The same through a worker: what the configuration and the task say, and what the service and the log get to know."""

from __future__ import annotations

import json
import os
import re
import signal
import sys

import psutil
import pytest

from tests.faults.processes.conftest import let_through

TAKE = f"{sys.executable} -c 'b = bytearray(150_000_000); import time; time.sleep(60)'"


def test_a_failed_attempt_says_what_it_has_used(bench):
    pipeline = bench.shell("echo why >&2; exit 7")
    agent = bench.agent("--once")
    message = bench.ended(pipeline)["errorMessage"]
    assert re.search(r"\nwhy\nlogs: \S+ on \S+\nused: \d+\.\d s CPU, \d+ MB$", message), message
    assert agent.wait() == 0
    ended = agent.events("task_ended")[0]
    assert ended["cpu_seconds"] > 0
    assert ended["peak_memory"] > 1_000_000


def test_an_attempt_over_the_memory_limit_of_the_configuration_is_ended_by_name(bench):
    pipeline = bench.shell(TAKE)
    bench.agent("--once", DUCTRUNNER_AGENT_MEMORY_LIMIT="100MB")
    attempt = bench.ended(pipeline)
    assert attempt["errorId"] == "MemoryExhausted"
    assert "more than the limit of 100 MB (agent.memory_limit)" in attempt["errorMessage"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_task_runs_as_the_user_that_it_names_and_owns_what_it_is_given(bench, tmp_path, s3_client, s3_bucket):
    let_through(tmp_path)
    s3_client.put_object(Bucket=s3_bucket, Key="in/deep/a", Body=b"content")
    command = "id -un; echo $HOME; cat $INPUT1_STAGING_DIR/deep/a; mv $INPUT1_STAGING_DIR/deep/a $OUTPUT1_STAGING_DIR/b"
    command += '; echo \'{"status": "finished", "rows": 3}\' > $DUCTRUNNER_RESULT; touch here'
    work = {"id": "Work", "type": "ShellCommandActivity", "stage": "true", "maximumRetries": "0", "command": command}
    pipeline = bench.run(
        {"id": "In", "type": "S3DataNode", "directoryPath": f"s3://{s3_bucket}/in"},
        {"id": "Out", "type": "S3DataNode", "directoryPath": f"s3://{s3_bucket}/out"},
        {**work, "myRunAsUser": "nobody", "input": {"ref": "In"}, "output": {"ref": "Out"}},
    )
    agent = bench.agent("--once", DUCTRUNNER_AGENT_RUN_AS_USER="daemon")
    attempt = bench.ended(pipeline)
    assert attempt["@status"] == "FINISHED", attempt
    assert agent.wait() == 0
    assert bench.log_of(pipeline).split() == ["nobody", "/nonexistent", "content"]
    assert attempt["attemptStatus"].startswith("rows=3 (")
    assert s3_client.get_object(Bucket=s3_bucket, Key="out/b")["Body"].read() == b"content"
    assert [*agent.output.glob("tmp/*"), *agent.output.glob("staging/*")] == []


def test_a_user_that_does_not_exist_fails_the_task_by_name(bench):
    pipeline = bench.shell("true", myRunAsUser="nobody-of-this-name")
    bench.agent("--once")
    attempt = bench.ended(pipeline)
    assert attempt["errorId"] == "TaskMalformed"
    assert "no user 'nobody-of-this-name'" in attempt["errorMessage"]


def test_the_working_directory_can_be_the_operators(bench, tmp_path):
    pipeline = bench.shell("pwd; nice")
    place = tmp_path / "place"
    place.mkdir()
    agent = bench.agent("--once", DUCTRUNNER_AGENT_WORKING_DIRECTORY=str(place), DUCTRUNNER_AGENT_NICE="4")
    assert bench.ended(pipeline)["@status"] == "FINISHED"
    assert agent.wait() == 0
    assert bench.log_of(pipeline).split() == [str(place), "4"]


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("RUN_AS_USER", "nobody-of-this-name", "agent.run_as_user: there is no user 'nobody-of-this-name'"),
        ("WORKING_DIRECTORY", "/nowhere/at/all", "agent.working_directory: /nowhere/at/all is not"),
    ],
)
def test_a_configuration_that_cannot_be_kept_is_refused_at_the_start(bench, variable, value, words):
    agent = bench.agent(**{f"DUCTRUNNER_AGENT_{variable}": value})
    assert agent.wait() == 2
    assert words in agent.text


def test_a_killed_shim_is_told_and_the_worker_goes_on(bench, sleeper):
    inside = sleeper()
    pipeline = bench.shell(inside.command)
    agent = bench.agent()
    inside.wait_for(1)
    [running] = inside.processes()
    running.parent().parent().kill()  # above the shell
    attempt = bench.ended(pipeline)
    assert attempt["errorId"] == "CommandKilled"
    assert "watches over the command was ended by SIGKILL" in attempt["errorMessage"]
    inside.wait_for(0)
    assert bench.ended(bench.shell("true"))["@status"] == "FINISHED"
    agent.process.terminate()
    assert agent.wait() == 0


def test_a_guard_that_is_killed_with_its_shims_leaves_nothing(bench, sleeper):
    inside, apart = sleeper(), sleeper()
    pipeline = bench.shell(f"env -i setsid {apart.command} & {inside.command}")
    agent = bench.agent(DUCTRUNNER_AGENT_KILL_GRACE="0.3")
    inside.wait_for(1)
    apart.wait_for(1)
    [guard] = psutil.Process(agent.process.pid).children()
    family = [guard, *guard.children()]
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for member in family:
            member.send_signal(number)
    assert agent.wait() == 1
    assert bench.ended(pipeline)["errorId"] == "AgentStopped"
    assert inside.processes() + apart.processes() == []


def test_the_started_process_is_in_the_journal(bench, sleeper):
    inside = sleeper()
    bench.shell(inside.command)
    agent = bench.agent()
    inside.wait_for(1)
    [entry] = agent.output.glob("journal/*/*-*")
    lines = entry.read_bytes()[160:].rstrip(b"\0").splitlines()
    [child] = [json.loads(line)["child"] for line in lines if b'"child"' in line]
    assert child["pid"] == inside.processes()[0].ppid()
