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


@pytest.fixture
def configuration(aws_environment, tmp_path):
    """A configuration whose passwords are in Secrets Manager and Parameter Store, and one that is nowhere."""
    import boto3

    boto3.client("secretsmanager").create_secret(Name="learning", SecretString='{"password": "managed-secret-1"}')
    boto3.client("ssm").put_parameter(Name="/pg", Value="parameter-secret-2", Type="SecureString")
    path = tmp_path / "ductrunner.yaml"
    path.write_text(
        "mysql:\n"
        "  a: {HOST: h, USERNAME: u, PASSWORD: 'secretsmanager:learning#password'}\n"
        "  b: {HOST: h, USERNAME: u, PASSWORD: 'secretsmanager:nowhere'}\n"
        "postgres: {HOST: h, DATABASE_NAME: d, USERNAME: u, PASSWORD: 'ssm:/pg'}\n"
    )
    yield path
    boto3.client("secretsmanager").delete_secret(SecretId="learning", ForceDeleteWithoutRecovery=True)
    boto3.client("ssm").delete_parameter(Name="/pg")


def test_secrets_that_the_configuration_only_refers_to_are_removed_too(bench, configuration):
    agent = bench.agent(DUCTRUNNER_CONFIG=str(configuration))
    assert agent.wait_for("secrets_read")["count"] == 2
    assert "nowhere" in agent.wait_for("secret_not_read")["error"]
    pipeline = bench.shell("echo managed-secret-1; echo parameter-secret-2 >&2; false")
    message = bench.ended(pipeline)["errorMessage"]
    shown = [bench.log_of(pipeline), bench.log_of(pipeline, "StdError")]
    assert shown == ["[redacted]\n", "[redacted]\n"]
    assert "-secret-" not in message + agent.text
    agent.process.terminate()
    assert agent.wait() == 0


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
