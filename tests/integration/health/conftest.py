"""The bench of the worker's tests, and questions to a running agent."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest

from tests.integration.agent.conftest import (  # noqa: F401  # fixtures
    AgentProcess,
    bench,
    eventually,
    manual_service,
)


class Asked:
    """The status endpoint of a running agent."""

    def __init__(self, agent: AgentProcess) -> None:
        self.address = agent.wait_for("status_offered")["address"]

    def get(self, path: str, method: str = "GET", **headers: str) -> tuple[int, str, http.client.HTTPMessage]:
        """Ask; return status, body and headers."""
        connection = http.client.HTTPConnection(self.address, timeout=10)
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.headers
        finally:
            connection.close()

    def status(self) -> dict[str, Any]:
        """The status document."""
        code, body, _ = self.get("/status")
        assert code == 200, body
        return dict(json.loads(body))

    def await_ready(self) -> None:
        """Wait until tasks are taken."""
        eventually(lambda: self.get("/readyz")[0] == 200, "a ready agent")


@pytest.fixture
def asked() -> type[Asked]:
    """``asked(agent)`` gives what the agent's endpoint answers."""
    return Asked
