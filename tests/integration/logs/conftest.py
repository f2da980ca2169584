"""Real agents whose logs go to moto's CloudWatch Logs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.integration.agent.conftest import (  # noqa: F401  # fixtures
    Bench,
    await_condition,
    bench,
    eventually,
    manual_service,
)


class Streams:
    """What CloudWatch Logs has of one group."""

    def __init__(self, client: Any, group: str) -> None:
        self.client = client
        self.group = group

    def names(self, prefix: str = "") -> list[str]:
        """The streams; none where there is no group."""
        try:
            pages = list(self.client.get_paginator("describe_log_streams").paginate(logGroupName=self.group))
        except self.client.exceptions.ResourceNotFoundException:
            return []
        found = [stream["logStreamName"] for page in pages for stream in page["logStreams"]]
        return [name for name in found if name.startswith(prefix)]

    def events(self, stream: str) -> list[dict[str, Any]]:
        """The events of a stream, in order."""
        found: list[dict[str, Any]] = []
        token: dict[str, str] = {}
        while True:
            answer = self.client.get_log_events(
                logGroupName=self.group, logStreamName=stream, startFromHead=True, **token
            )
            found += answer["events"]
            if not answer["events"]:
                return found
            token = {"nextToken": answer["nextForwardToken"]}

    def messages(self, stream: str) -> list[str]:
        """Their messages."""
        return [event["message"] for event in self.events(stream)]

    def of(self, pipeline: str) -> str:
        """The stream of the only attempt of a pipeline, once it is there."""
        [name] = eventually(lambda: self.names(f"tasks/{pipeline}/"), f"a stream of {pipeline}")
        return name

    def await_messages(self, stream: str, condition: Callable[[list[str]], Any]) -> list[str]:
        """The messages once they are as wanted."""
        return eventually(
            lambda: found if condition(found := self.messages(stream)) else None, f"the messages of {stream}"
        )


@pytest.fixture
def streams(bench: Bench) -> Iterator[Streams]:  # noqa: F811  # a fixture by its name
    """The log group of the bench's worker group."""
    import boto3

    client = boto3.client("logs")
    yield Streams(client, f"/ductrunner/{bench.group}")
    client.close()
