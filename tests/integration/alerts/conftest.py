"""An SNS topic that a queue is subscribed to, and agents that tell it of failures."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.integration.agent.conftest import (  # noqa: F401  # fixtures
    await_condition,
    bench,
    eventually,
    manual_service,
)


class Topic:
    """A topic and what was published to it."""

    def __init__(self) -> None:
        import boto3

        self._sns, self._sqs = boto3.client("sns"), boto3.client("sqs")
        name = f"alerts-{secrets.token_hex(4)}"
        self.arn = self._sns.create_topic(Name=name)["TopicArn"]
        self._queue = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        address = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        self._sns.subscribe(TopicArn=self.arn, Protocol="sqs", Endpoint=address["Attributes"]["QueueArn"])
        self.messages: list[dict[str, Any]] = []

    def read(self) -> list[dict[str, Any]]:
        """Everything that came so far, oldest first: ``Subject`` and ``Message``."""
        while found := self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages"):
            for entry in found:
                self.messages.append(json.loads(entry["Body"]))
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=entry["ReceiptHandle"])
        return self.messages

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        """Wait until so many messages came."""
        return eventually(lambda: self.read() if len(self.read()) >= count else None, f"{count} alerts")

    def close(self) -> None:
        self._sns.close()
        self._sqs.close()


@pytest.fixture
def topic(aws_environment: str) -> Iterator[Topic]:
    made = Topic()
    yield made
    made.close()


@pytest.fixture
def ended_agent(bench: Any) -> Callable[..., Any]:  # noqa: F811
    """Runs these commands one after the other with an agent of these variables; returns the agent, which has ended."""

    def run(*commands: str, **variables: str) -> Any:
        agent = bench.agent("--tasks=1", **variables)
        for command in commands:
            bench.ended(bench.shell(command))
        agent.process.terminate()
        assert agent.wait() == 0
        return agent

    return run
