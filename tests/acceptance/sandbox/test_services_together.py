"""The Data Pipeline service of a running sandbox finds the other services by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import boto3
import pytest
from botocore.config import Config

GROUP = "services-together"


@pytest.fixture
def client(sandbox: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Make clients of the sandbox's services."""
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    with ExitStack() as made:
        yield lambda service: made.enter_context(closing(boto3.client(service, config=Config(read_timeout=100))))


def api_object(object_id: str, **fields: str) -> dict[str, Any]:
    entries = [
        {"key": key, "refValue" if value.startswith(">") else "stringValue": value.removeprefix(">")}
        for key, value in fields.items()
    ]
    return {"id": object_id, "name": object_id, "fields": entries}


def test_a_precondition_reads_its_s3_and_an_alarm_reaches_its_sns(client: Any) -> None:
    s3, sns, sqs, pipelines = (client(service) for service in ("s3", "sns", "sqs", "datapipeline"))
    s3.create_bucket(Bucket=GROUP)
    s3.put_object(Bucket=GROUP, Key="go", Body=b"")
    topic = sns.create_topic(Name=GROUP)["TopicArn"]
    queue = sqs.create_queue(QueueName=GROUP)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    pipeline = pipelines.create_pipeline(name=GROUP, uniqueId=GROUP)["pipelineId"]
    objects = [
        api_object("Default", scheduleType="ondemand", role="r"),
        api_object(
            "A", type="ShellCommandActivity", command="x", workerGroup=GROUP, precondition=">Ready", onSuccess=">Told"
        ),
        api_object("Ready", type="S3KeyExists", s3Key=f"s3://{GROUP}/go"),
        api_object("Told", type="SnsAlarm", topicArn=topic, subject="s", message="#{node.name} is done"),
    ]
    assert not pipelines.put_pipeline_definition(pipelineId=pipeline, pipelineObjects=objects)["errored"]
    pipelines.activate_pipeline(pipelineId=pipeline)
    task = pipelines.poll_for_task(workerGroup=GROUP)["taskObject"]
    pipelines.set_task_status(taskId=task["taskId"], taskStatus="FINISHED")
    message = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"][0]
    assert json.loads(message["Body"])["Message"] == "A is done"
