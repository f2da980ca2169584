"""Logs in S3 while an attempt runs; what never leaves the machine."""

from __future__ import annotations

import signal

import pytest

from tests.integration.agent.conftest import eventually


def text_of(s3_client, bucket, suffix):
    """The only object whose key ends so; empty when there is none."""
    found = s3_client.list_objects_v2(Bucket=bucket).get("Contents", [])
    keys = [entry["Key"] for entry in found if entry["Key"].endswith(suffix)]
    return s3_client.get_object(Bucket=bucket, Key=keys[0])["Body"].read().decode() if keys else ""


def test_the_logs_of_a_running_attempt_are_copied_to_s3_at_intervals(bench, s3_client, s3_bucket, tmp_path):
    gate = tmp_path / "gate"
    bench.agent(DUCTRUNNER_LOGGING_S3_INTERVAL="0.2")
    pipeline = bench.shell(
        f"echo first; while ! test -e {gate}; do sleep 0.05; done; echo last", pipelineLogUri=f"s3://{s3_bucket}/logs"
    )
    eventually(lambda: text_of(s3_client, s3_bucket, "/StdOutput") == "first\n", "the copy of the running attempt")
    assert bench.attempts(pipeline)[0]["@status"] == "RUNNING"
    gate.touch()
    bench.ended(pipeline)
    assert text_of(s3_client, s3_bucket, "/StdOutput") == "first\nlast\n"


def test_a_copy_that_fails_is_no_failure_of_the_attempt(bench, tmp_path):
    gate = tmp_path / "gate"
    agent = bench.agent(DUCTRUNNER_LOGGING_S3_INTERVAL="0.2")
    pipeline = bench.shell(
        f"echo x; while ! test -e {gate}; do sleep 0.05; done", pipelineLogUri="s3://there-is-no-such-bucket/logs"
    )
    agent.wait_for("log_upload_failed")
    gate.touch()
    assert bench.ended(pipeline)["@status"] == "FINISHED"


@pytest.mark.parametrize("names", [{}, {"DUCTRUNNER_LOGGING_REDACTED_VARS": "*_TOKEN,MY_*"}])
def test_variables_with_secret_names_are_removed_from_everything(bench, streams, names):
    secret = {"SOME_TOKEN": "token-value-1", "MY_NAME": "name-value-2"}
    agent = bench.agent(**secret, **names)
    pipeline = bench.shell("echo $SOME_TOKEN; echo -n $SOME_TOKEN | base64; echo $MY_NAME; false")
    message = bench.ended(pipeline)
    agent.process.send_signal(signal.SIGTERM)
    assert agent.wait() == 0
    shown = streams.messages(streams.of(pipeline))
    assert shown == ["[redacted]", "[redacted]", "[redacted]" if names else "name-value-2"]
    everything = "\n".join([agent.text, str(message), bench.log_of(pipeline), *shown])
    assert "token-value-1" not in everything


def test_two_agents_share_an_output_directory_and_each_sends_its_own_lines(bench, streams):
    agents = [bench.agent(), bench.agent()]
    for agent in agents:
        agent.wait_for("agent_started")
    assert len([*agents[0].output.glob("logs/TaskRunner.log.*")]) >= 2
    for agent in agents:
        agent.process.send_signal(signal.SIGTERM)
        assert agent.wait() == 0
    [stream] = streams.names("agent/")
    messages = streams.messages(stream)
    assert sum('"agent_started"' in message for message in messages) == 2
    assert len(messages) == sum(len(agent.text.splitlines()) for agent in agents)
