"""The flags of TaskRunner, the settings that they override, and what the agent says at its start."""

from __future__ import annotations

import json

import psutil
import pytest

from agent.cli import agent as command
from core.errors import SettingsError

SECRET = "a-secret-key-of-the-flags"


@pytest.mark.parametrize(
    "flags",
    [
        ["--region=eu-west-1", "--taskrunnerId=me", "--tasks=7", "--accessId=AKID", f"--secretKey={SECRET}"],
        ["--region", "eu-west-1", "--taskrunnerId", "me", "--tasks", "7", "--accessID", "AKID", "--secretKey", SECRET],
        ["--region=eu-west-1", "--taskrunner-id=me", "--tasks=7", "--access-id=AKID", "--secret-key", SECRET],
    ],
)
def test_both_spellings_of_a_flag_are_read_and_a_secret_leaves_the_process_list(bench, flags):
    agent = bench.agent(*flags)
    line = agent.wait_for("agent_started")
    assert line["worker_group"] == bench.group
    assert (line["region"], line["taskrunner_id"], line["tasks"]) == ("eu-west-1", "me", 7)
    assert line["endpoint"] == bench.endpoint
    assert line["release"]
    shown = psutil.Process(agent.process.pid).cmdline()
    assert not [word for word in shown if SECRET in word]
    assert [word for word in shown if word.endswith("*" * len(SECRET))]
    assert agent.events("secret_in_arguments")[0]["flag"] == "--secretKey"
    assert SECRET not in agent.text


def test_flags_win_over_the_environment_and_that_over_the_file(bench):
    config = bench.directory / "ductrunner.yaml"
    config.write_text(json.dumps({"agent": {"tasks": 3, "taskrunner_id": "file", "region": "us-west-2"}}))
    variables = {"DUCTRUNNER_AGENT_TASKRUNNER_ID": "environment", "DUCTRUNNER_AGENT_REGION": "ap-southeast-2"}
    line = bench.agent(f"--config={config}", "--region=eu-west-1", **variables).wait_for("agent_started")
    assert (line["tasks"], line["taskrunner_id"], line["region"]) == (3, "environment", "eu-west-1")


def test_a_credentials_file_of_taskrunner_is_recognised(bench):
    secret = "a-secret-key-of-the-file"
    keys = bench.directory / "credentials.json"
    keys.write_text(json.dumps({"access-id": "AKIDEXAMPLE", "private-key": secret}))
    nothing = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    pipeline = bench.shell('env; printf "%s" "$AWS_ACCESS_KEY_ID"')
    agent = bench.agent("--once", "--config", str(keys), **nothing)
    assert bench.ended(pipeline)["@status"] == "FINISHED"
    assert "AKIDEXAMPLE" not in bench.log_of(pipeline)
    assert secret not in agent.text
    assert agent.events("credentials_readable")[0]["advice"] == f"chmod 600 {keys}"


def test_a_wrong_flag_is_refused_in_one_sentence(bench):
    agent = bench.agent("--endpoint=nonsense")
    assert agent.wait() == 2
    assert "'nonsense' is not an address" in agent.text
    assert "Traceback" not in agent.text


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--workerGroup="], "--workerGroup"),
        (["--workerGroup=g", "--proxyDomain=CORP"], "NTLM"),
        (["--workerGroup=g", "--accessId=AKID"], "--secretKey"),
        (["--workerGroup=g", "--output=/etc/hostname/output"], "output directory /etc/hostname/output"),
        (["--workerGroup=g", "--output=/proc/output"], "output directory /proc/output"),
        (["--workerGroup=g", "--config=/no/such/file.yaml"], "/no/such/file.yaml"),
        (["--workerGroup=g", "--config=/no/such/credentials.json"], "/no/such/credentials.json"),
    ],
)
def test_each_wrong_flag_is_named(aws_environment, flags, words):
    with pytest.raises(SettingsError, match=words):
        command.main(flags, standalone_mode=False)


def test_no_credentials_are_said_at_the_start(bench):
    agent = bench.agent(AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="", AWS_EC2_METADATA_DISABLED="true")
    assert agent.wait() == 1
    assert "no AWS credentials" in agent.text
