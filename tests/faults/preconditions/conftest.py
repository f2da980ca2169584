"""A service that hands out preconditions, and real agents that take them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.one_service import start_agent
from tests.faults.preconditions.service import PreconditionService
from tests.integration.agent.conftest import AgentProcess, await_condition  # noqa: F401  # a fixture

Start = Callable[..., AgentProcess]


def launch(service: PreconditionService, place: Path, *flags: str, **variables: str) -> AgentProcess:
    """Start an agent that asks ``service`` for everything."""
    own = {"DUCTRUNNER_AGENT_KILL_GRACE": "2", "DUCTRUNNER_AGENT_REPORT_INTERVAL": "0.2"}
    return start_agent(service.endpoint, place, *flags, **{**own, **variables})


@dataclass(frozen=True)
class Served:
    """A service and an agent that takes its tasks."""

    service: PreconditionService
    agent: AgentProcess


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One agent for the tests that need none of their own."""
    service = PreconditionService()
    agent = launch(service, tmp_path_factory.mktemp("served"), "--tasks=4", DUCTRUNNER_AGENT_PRECONDITIONS="4")
    yield Served(service, agent)
    agent.stop()
    service.close()


@pytest.fixture
def service() -> Iterator[PreconditionService]:
    """The service of one test."""
    made = PreconditionService()
    yield made
    made.close()


@pytest.fixture
def start(service: PreconditionService, tmp_path: Path) -> Iterator[Start]:
    """A maker of agents that ask ``service`` for everything; they are ended after the test."""
    made: list[AgentProcess] = []

    def make(*flags: str, **variables: str) -> AgentProcess:
        made.append(launch(service, tmp_path, *flags, **variables))
        return made[-1]

    yield make
    for agent in made:
        agent.stop()
