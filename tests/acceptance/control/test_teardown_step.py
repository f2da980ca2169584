from __future__ import annotations

import json
import secrets
from typing import Any

import boto3
import pytest


@pytest.fixture
def aws(sandbox: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Point boto3 in this process at the sandbox."""
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    return boto3.client


@pytest.fixture
def queue(aws: Any) -> tuple[Any, str, str]:
    """A topic whose messages land in a queue: the SQS client, the queue's URL, the topic's ARN."""
    sns, sqs = aws("sns"), aws("sqs")
    name = f"failures-{secrets.token_hex(4)}"
    topic = sns.create_topic(Name=name)["TopicArn"]
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return sqs, url, topic


def activity(name: str, command: str, group: str) -> dict[str, Any]:
    fields = {"type": "ShellCommandActivity", "command": command, "workerGroup": group, "maximumRetries": "0"}
    return {"id": name, "name": name, "fields": [{"key": key, "stringValue": value} for key, value in fields.items()]}


def run_pipeline(aws: Any, sandbox: Any, group: str, commands: dict[str, str]) -> str:
    """Activate a pipeline of these commands and run it with a real agent; return its id."""
    service = aws("datapipeline")
    pipeline_id = service.create_pipeline(name=f"nightly-{group}", uniqueId=group)["pipelineId"]
    default = {"id": "Default", "name": "Default", "fields": [{"key": "scheduleType", "stringValue": "ondemand"}]}
    objects = [default, *(activity(name, command, group) for name, command in commands.items())]
    answer = service.put_pipeline_definition(pipelineId=pipeline_id, pipelineObjects=objects)
    assert not answer["errored"], answer
    service.activate_pipeline(pipelineId=pipeline_id)
    output = sandbox.state_dir / group
    done = sandbox.ductrunner(
        "agent", f"--workerGroup={group}", "--tasks", "4", "--idle-exit", "4", f"--output={output}"
    )
    assert done.returncode == 0, done.stdout
    return str(pipeline_id)


def test_the_teardown_waits_for_the_other_steps_and_publishes_those_that_failed(
    aws: Any, sandbox: Any, queue: tuple[Any, str, str]
) -> None:
    sqs, url, topic = queue
    group = f"group-{secrets.token_hex(4)}"
    teardown = f"ductrunner step teardown --sns-topic-arn {topic} --refresh-rate 0.5"
    commands = {"Good": "echo fine", "Broken": "echo 'no such table' >&2; exit 4", "Teardown": teardown}
    run_pipeline(aws, sandbox, group, commands)
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)["Messages"]
    body = json.loads(message["Body"])
    assert body["Subject"] == f"Failure on nightly-{group}"
    assert "1 of 2 steps did not finish" in body["Message"]
    assert "Broken: FAILED" in body["Message"]
    assert "no such table" in body["Message"]
    assert "Good" not in body["Message"]


def test_a_run_without_failures_publishes_nothing(aws: Any, sandbox: Any, queue: tuple[Any, str, str]) -> None:
    sqs, url, topic = queue
    teardown = f"ductrunner step teardown --sns-topic-arn {topic} --refresh-rate 0.5"
    pipeline_id = run_pipeline(
        aws, sandbox, f"group-{secrets.token_hex(4)}", {"Good": "echo fine", "Teardown": teardown}
    )
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    ids = aws("datapipeline").query_objects(pipelineId=pipeline_id, sphere="INSTANCE")["ids"]
    described = aws("datapipeline").describe_objects(pipelineId=pipeline_id, objectIds=ids)["pipelineObjects"]
    statuses = {field["stringValue"] for item in described for field in item["fields"] if field["key"] == "@status"}
    assert statuses == {"FINISHED"}


def test_without_a_pipeline_it_says_so(sandbox: Any) -> None:
    done = sandbox.ductrunner("step", "teardown")
    assert done.returncode == 2
    assert "no pipeline: give --pipeline-id" in done.stderr


def test_a_topic_that_is_not_there_fails_the_step(aws: Any, sandbox: Any, queue: tuple[Any, str, str]) -> None:
    missing = queue[2] + "-none"
    group = f"group-{secrets.token_hex(4)}"
    pipeline_id = run_pipeline(aws, sandbox, group, {"Broken": "exit 4"})
    done = sandbox.ductrunner("step", "teardown", "--pipeline-id", pipeline_id, "--sns-topic-arn", missing)
    assert done.returncode == 1
    assert "NotFound: cannot publish to" in done.stderr
