"""Control steps against a real Data Pipeline service, SNS, S3 and databases."""

from __future__ import annotations

import json
import os
import secrets
import threading
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from steps_impl.contract import StepContext, StepResult
from steps_impl.registry import load_step


class Looks:
    """Takes progress; ``then`` is called at each look, to change what the next one sees."""

    def __init__(self, then: Callable[[int], None] | None = None) -> None:
        self.phases: list[str] = []
        self._then = then

    def progress(self, phase: str, *, rows: int | None = None, bytes: int | None = None) -> None:  # noqa: A002
        self.phases.append(phase)
        if self._then:
            self._then(len(self.phases))


def run_step(name: str, looks: Looks | None = None, **parameters: Any) -> StepResult:
    """Run a step in this process."""
    step = load_step(name)
    context = StepContext(looks or Looks(), threading.Event(), dict(os.environ))
    return step.run(step.parameters.model_validate(parameters), context)


class Pipelines:
    """Makes pipelines of one activity and plays their worker."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def make(self, name: str | None = None) -> tuple[str, str]:
        """Activate a pipeline whose activity nobody has taken yet; return its name and id."""
        name = name or f"nightly-{secrets.token_hex(4)}"
        pipeline = self.client.create_pipeline(name=name, uniqueId=secrets.token_hex(8))["pipelineId"]
        fields = {"type": "ShellCommandActivity", "command": "true", "workerGroup": name, "maximumRetries": "0"}
        default = {"id": "Default", "name": "Default", "fields": [{"key": "scheduleType", "stringValue": "ondemand"}]}
        work = [{"key": key, "stringValue": value} for key, value in fields.items()]
        objects = [default, {"id": "Work", "name": "Work", "fields": work}]
        answer = self.client.put_pipeline_definition(pipelineId=pipeline, pipelineObjects=objects)
        assert not answer["errored"], answer
        self.client.activate_pipeline(pipelineId=pipeline)
        return name, str(pipeline)

    def end(self, name: str, status: str) -> None:
        """Take the pipeline's task and end it."""
        task = self.client.poll_for_task(workerGroup=name)["taskObject"]["taskId"]
        self.client.report_task_progress(taskId=task)
        self.client.set_task_status(taskId=task, taskStatus=status)


@pytest.fixture
def pipelines(datapipeline_environment: str) -> Pipelines:
    return Pipelines(boto3.client("datapipeline"))


class Topic:
    """An SNS topic whose messages land in a queue."""

    def __init__(self) -> None:
        name = f"told-{secrets.token_hex(4)}"
        sns, self._sqs = boto3.client("sns"), boto3.client("sqs")
        self.arn = str(sns.create_topic(Name=name)["TopicArn"])
        self._queue = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        queue = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])["Attributes"]
        sns.subscribe(TopicArn=self.arn, Protocol="sqs", Endpoint=queue["QueueArn"])

    def messages(self) -> list[dict[str, str]]:
        """What was published, as SNS passes it on."""
        listed = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in listed]


@pytest.fixture
def topic(aws_environment: str) -> Topic:
    return Topic()
