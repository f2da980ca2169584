"""Real agents whose logs go to a strict service in the test's process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.logs.strict_logs import StrictLogs
from tests.integration.agent.conftest import (  # noqa: F401  # fixtures
    AgentProcess,
    Bench,
    await_condition,
    bench,
    eventually,
    manual_service,
)


@pytest.fixture
def logs() -> Iterator[StrictLogs]:
    """The service; nothing that breaks a limit may have been sent to it."""
    service = StrictLogs()
    yield service
    service.close()
    assert service.wrong == []


class LogBench:
    """The bench, with agents that send their logs to the strict service."""

    def __init__(self, made: Bench, logs: StrictLogs) -> None:
        self.bench = made
        self.logs = logs

    def agent(self, *flags: str, **variables: str) -> AgentProcess:
        """Start an agent that ships quickly."""
        own = {
            "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": self.logs.endpoint,
            "DUCTRUNNER_LOGGING_CLOUDWATCH_INTERVAL": "0.1",
        }
        return self.bench.agent(*flags, **{**own, **variables})

    def await_messages(self, expected: list[str], prefix: str = "tasks/") -> None:
        """Wait until exactly these are there."""
        eventually(lambda: self.logs.messages(prefix) == expected or None, f"{len(expected)} messages {expected[:3]} …")

    def await_text(self, text: str, prefix: str = "tasks/") -> str:
        """Wait for a message that contains this."""

        def found() -> str | None:
            return next((message for message in self.logs.messages(prefix) if text in message), None)

        return eventually(found, f"a message with {text!r}")


@pytest.fixture
def log_bench(bench: Any, logs: StrictLogs) -> LogBench:  # noqa: F811
    """The bench of the tests here."""
    return LogBench(bench, logs)
