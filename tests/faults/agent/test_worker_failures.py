"""Each thing that can go wrong ends as FAILED with an id, and with words that an operator can act on."""

from __future__ import annotations

import json
import os

import pytest


def test_a_failing_command_is_reported_with_its_last_lines(served):
    pipeline = served.shell("for n in $(seq 5000); do echo line $n >&2; done; echo 'no such table: users' >&2; exit 7")
    attempt = served.ended(pipeline)
    assert (attempt["@status"], attempt["errorId"]) == ("FAILED", "CommandFailed")
    assert attempt["errorMessage"].startswith("the command ended with exit status 7")
    assert "line 4999\nline 5000\nno such table: users\nlogs: " in attempt["errorMessage"]


def test_a_timeout_ends_the_whole_tree_and_is_reported(served, sleeper):
    inside, apart = sleeper(), sleeper()
    pipeline = served.shell(
        f"echo started >&2; setsid {apart.command} & {inside.command}; echo not-reached", attemptTimeout="2 seconds"
    )
    attempt = served.ended(pipeline)
    assert attempt["errorId"] == "ActivityTimedOut"
    assert "attemptTimeout of 2 seconds" in attempt["errorMessage"]
    assert "started" in attempt["errorMessage"]
    inside.wait_for(0)
    apart.wait_for(0)


def test_a_command_that_ignores_term_is_killed(bench, sleeper):
    deaf = sleeper()
    pipeline = bench.shell(f"trap '' TERM; {deaf.command}; {deaf.command}", attemptTimeout="2 seconds")
    bench.agent("--once", DUCTRUNNER_AGENT_KILL_GRACE="0.2")
    assert bench.ended(pipeline)["errorId"] == "ActivityTimedOut"
    deaf.wait_for(0)


def test_a_canceled_attempt_leaves_no_process_and_sends_no_status(bench, sleeper):
    inside, apart = sleeper(), sleeper()
    pipeline = bench.shell(f"setsid {apart.command} & {inside.command}")
    agent = bench.agent("--once", DUCTRUNNER_AGENT_REPORT_INTERVAL="0.2")
    inside.wait_for(1)
    [attempt] = bench.attempts(pipeline)
    bench.client.set_status(pipelineId=pipeline, objectIds=[attempt["@instanceParent"]], status="TRY_CANCEL")
    assert agent.wait() == 0
    assert agent.events("task_ended")[0]["status"] == "canceled"
    assert bench.ended(pipeline)["@status"] == "CANCELED"
    inside.wait_for(0)
    apart.wait_for(0)


def test_a_task_whose_pipeline_is_deleted_is_ended_without_a_status(bench, sleeper):
    inside = sleeper()
    pipeline = bench.shell(inside.command)
    agent = bench.agent("--once", DUCTRUNNER_AGENT_REPORT_INTERVAL="0.2")
    inside.wait_for(1)
    bench.client.delete_pipeline(pipelineId=pipeline)
    assert agent.wait() == 0
    assert agent.events("task_ended")[0]["status"] in {"lost", "canceled"}
    inside.wait_for(0)


def test_a_missing_script_is_named(served, s3_bucket):
    pipeline = served.shell(None, scriptUri=f"s3://{s3_bucket}/nowhere.sh")
    attempt = served.ended(pipeline)
    assert attempt["errorId"] == "ScriptNotFound"
    assert f"s3://{s3_bucket}/nowhere.sh" in attempt["errorMessage"]


@pytest.mark.parametrize("place", ["nothing-here/", "nothing.txt"])
def test_an_input_that_cannot_be_read_is_named(served, s3_bucket, place):
    key = "directoryPath" if place.endswith("/") else "filePath"
    uri = f"s3://{s3_bucket}/{place}"
    work = {"id": "Work", "type": "ShellCommandActivity", "command": "true", "stage": "true", "maximumRetries": "0"}
    pipeline = served.run({"id": "In", "type": "S3DataNode", key: uri}, {**work, "input": {"ref": "In"}})
    attempt = served.ended(pipeline)
    assert attempt["errorId"] == "NotFound"
    assert uri in attempt["errorMessage"]


@pytest.fixture
def small_disk(bench, mount_disk):
    place = mount_disk(bench.directory / "output", "size=256k")
    yield place
    for agent in bench.agents:
        agent.stop()


#: The intake would be held on so small a disk.
NO_MINIMUM = {"DUCTRUNNER_AGENT_MINIMUM_FREE_DISK": "0", "DUCTRUNNER_AGENT_MINIMUM_FREE_INODES": "0"}


def test_a_full_disk_during_staging_is_named(bench, small_disk, s3_client, s3_bucket):
    s3_client.put_object(Bucket=s3_bucket, Key="in/a", Body=b"x" * 300_000)
    work = {"id": "Work", "type": "ShellCommandActivity", "command": "true", "stage": "true", "maximumRetries": "0"}
    node = {"id": "In", "type": "S3DataNode", "directoryPath": f"s3://{s3_bucket}/in"}
    pipeline = bench.run(node, {**work, "input": {"ref": "In"}})
    bench.agent("--once", **NO_MINIMUM)
    assert bench.ended(pipeline)["errorId"] == "DiskFull"


def test_a_disk_that_fills_with_logs_ends_the_attempt_by_name(bench, small_disk, sleeper):
    inside = sleeper()
    pipeline = bench.shell(f"{inside.command} & yes; wait")
    agent = bench.agent("--once", **NO_MINIMUM)
    attempt = bench.ended(pipeline)
    assert attempt["errorId"] == "DiskFull"
    assert "StdOutput" in attempt["errorMessage"]
    assert agent.wait() == 0
    inside.wait_for(0)


def test_a_command_that_is_killed_says_by_what(served):
    pipeline = served.shell("kill -KILL $$")
    attempt = served.ended(pipeline)
    assert attempt["errorId"] == "CommandKilled"
    assert "SIGKILL" in attempt["errorMessage"]


def test_an_interpreter_that_is_not_there_is_named(served):
    pipeline = served.shell("#!/opt/nowhere/perl\n1;\n")
    attempt = served.ended(pipeline)
    assert attempt["errorId"] == "CommandFailed"
    assert "/opt/nowhere/perl" in attempt["errorMessage"]


def test_logs_that_cannot_be_uploaded_do_not_fail_the_attempt(served):
    pipeline = served.shell("echo fine", pipelineLogUri="s3://no-such-bucket-anywhere/logs")
    assert served.ended(pipeline)["@status"] == "FINISHED"
    assert served.worker.events("log_upload_failed")


def test_secrets_appear_in_no_log_no_message_and_no_object(bench, s3_client, s3_bucket):
    field_secret, file_secret = "field-secret-81", "config-secret-92"
    config = bench.directory / "ductrunner.yaml"
    config.write_text(json.dumps({"mysql": {"db": {"HOST": "h", "USERNAME": "u", "PASSWORD": file_secret}}}))
    show = f"echo {field_secret[:7]}''{field_secret[7:]} {file_secret[:7]}''{file_secret[7:]}"
    pipeline = bench.shell(
        f"{show}; {show} >&2; exit 1", **{"*mySecret": field_secret}, pipelineLogUri=f"s3://{s3_bucket}/logs"
    )
    agent = bench.agent("--once", f"--config={config}")
    attempt = bench.ended(pipeline)
    assert agent.wait() == 0
    stored = [entry["Key"] for entry in s3_client.list_objects_v2(Bucket=s3_bucket)["Contents"]]
    texts = [s3_client.get_object(Bucket=s3_bucket, Key=key)["Body"].read().decode() for key in stored]
    texts += [path.read_text() for path in agent.output.rglob("*") if path.is_file()]
    texts += [agent.text, attempt["errorMessage"]]
    assert len(texts) >= 7
    for text in texts:
        assert field_secret not in text
        assert file_secret not in text
    assert "[redacted] [redacted]" in attempt["errorMessage"]


def test_a_daemon_ends_with_its_attempt_and_its_open_pipe_holds_nothing(served, sleeper):
    inside, apart = sleeper(), sleeper()
    left = 'until [ "$(ps -o sid= -p $apart | tr -d " ")" != $$ ]; do :; done'
    pipeline = served.shell(f"setsid {apart.command} & apart=$!; {left}; {inside.command} & echo done")
    assert served.ended(pipeline)["@status"] == "FINISHED"
    inside.wait_for(0)
    apart.wait_for(0)


def test_a_redelivered_task_runs_once_on_a_machine(bench, await_condition):
    fifo, runs = bench.directory / "go", bench.directory / "runs"
    os.mkfifo(fifo)
    pipeline = bench.shell(f"echo run >> {runs}; cat {fifo}")
    agent = bench.agent("--tasks=2", DUCTRUNNER_AGENT_REPORT_INTERVAL="0.2")
    await_condition(runs.exists, "the command to run")
    [attempt] = bench.attempts(pipeline)
    bench.control("duplicate", pipelineId=pipeline, attemptId=attempt["id"])
    agent.wait_for("task_delivered_twice")
    fifo.write_text("go")
    assert bench.ended(pipeline)["@status"] == "FINISHED"
    assert runs.read_text() == "run\n"
