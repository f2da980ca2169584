"""Many tasks through several agents at a service that is unwell all the time, and what became of each."""

from __future__ import annotations

import itertools
import json
import os
import secrets
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from sandbox.parts.datapipeline import DataPipelinePart
from tests.faults.matrix.lane import new_client
from tests.integration.agent.conftest import AgentProcess, api_object

#: The service's own clock; a task whose poll lost its answer comes again after the acknowledgement window.
FLAGS = ("--retry-delay-minimum=0", "--retry-delay-default=0", "--ack-window=5", "--poll-hold=5")
#: A pipeline may hold 100 objects, one of which is ``Default``.
ACTIVITIES = 99
AGENTS = 2
SLOTS = 4
OPERATIONS = ("PollForTask", "ReportTaskProgress", "SetTaskStatus", "ReportTaskRunnerHeartbeat")
#: Which share of the faults is of which kind.
MIX: tuple[tuple[float, dict[str, Any]], ...] = (
    (0.4, {"fault": "error"}),
    (0.2, {"fault": "error", "status": 400, "code": "ThrottlingException"}),
    (0.2, {"fault": "delay", "seconds": 0.2}),
    (0.1, {"fault": "drop-before"}),
    (0.1, {"fault": "drop-after"}),
)
#: Tasks after which the agents' memory is compared with what it is in the end.
WARM = 1000


@dataclass(frozen=True)
class Figures:
    """What a soak has shown."""

    tasks: int
    seconds: float
    faults: int
    #: Resident bytes of each agent after the first tasks, and in the end.
    warm: tuple[int, ...]
    end: tuple[int, ...]
    #: What the service has of each attempt, and how often each command ran.
    attempts: list[dict[str, Any]]
    runs: int
    #: Answers to SetTaskStatus that were lost on purpose: each may have been told again.
    lost_answers: int

    @property
    def growth(self) -> list[float]:
        """How much each agent has grown since it was warm, as a share."""
        return [now / then - 1 for then, now in zip(self.warm, self.end, strict=True)]

    def __str__(self) -> str:
        memory = ", ".join(f"{a / 1e6:.1f} → {b / 1e6:.1f} MB" for a, b in zip(self.warm, self.end, strict=True))
        pace = f"{self.tasks / self.seconds:.0f} tasks/s"
        return f"{self.tasks} tasks in {self.seconds:.0f} s ({pace}), {self.faults} injected faults, agents: {memory}"


class Service:
    """A Data Pipeline service of the soak's own."""

    def __init__(self, directory: Path) -> None:
        self.part = DataPipelinePart(directory / "service", FLAGS)
        self.part.start()
        self.client = new_client("datapipeline", self.part.endpoint)

    def control(self, name: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Ask for something that AWS has no call for."""
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.part.endpoint}/_sandbox/{name}", data) as answer:
            return dict(json.load(answer))

    def be_unwell(self, rate: float, seed: int) -> None:
        """From now on this share of the workers' calls meets a fault."""
        for number, (operation, (share, fault)) in enumerate(itertools.product(OPERATIONS, MIX)):
            given = {"operation": operation, "rate": rate * share, "seed": seed + number, **fault}
            self.control("faults", given)

    def activate(self, group: str, count: int, command: str, retries: int = 0) -> None:
        """Put and activate so many activities."""
        names = (f"Work{number}" for number in range(count))
        default = {"id": "Default", "scheduleType": "ondemand", "workerGroup": group}
        default |= {"maximumRetries": str(retries)}
        while batch := list(itertools.islice(names, ACTIVITIES)):
            work = [{"id": name, "type": "ShellCommandActivity", "command": command} for name in batch]
            pipeline = self.client.create_pipeline(name="soak", uniqueId=secrets.token_hex(8))["pipelineId"]
            listed = [api_object(entry) for entry in (default, *work)]
            answer = self.client.put_pipeline_definition(pipelineId=pipeline, pipelineObjects=listed)
            assert not answer["errored"], answer
            self.client.activate_pipeline(pipelineId=pipeline)

    def close(self) -> None:
        """Stop it."""
        self.client.close()
        self.part.stop()


def soak(directory: Path, count: int, seed: int, environment: Mapping[str, str], rate: float = 0.05) -> Figures:
    """Run ``count`` tasks; returns when each has ended."""
    service = Service(directory)
    try:
        group = f"soak-{seed}"
        runs = directory / "runs"
        service.activate(group, count, f"echo >> {runs}")
        service.be_unwell(rate, seed)
        with agents(service, group, directory, environment) as started:
            began = time.monotonic()
            await_ended(service, started, min(WARM, count))
            warm = memory_of(started)
            await_ended(service, started, count)
            seconds = time.monotonic() - began
            end = memory_of(started)
        faults = service.control("faults")["faults"]
        lost = [
            fault["met"] for fault in faults if (fault["operation"], fault["fault"]) == (OPERATIONS[2], "drop-after")
        ]
        told = service.control("attempts")["attempts"]
        done = len(runs.read_text().splitlines())
        return Figures(count, seconds, sum(fault["met"] for fault in faults), warm, end, told, done, sum(lost))
    finally:
        service.close()


@contextmanager
def agents(
    service: Service, group: str, directory: Path, environment: Mapping[str, str], count: int = AGENTS
) -> Iterator[list[AgentProcess]]:
    """So many agents of a group, each with a directory of its own; they are let go in good order."""
    started: list[AgentProcess] = []
    try:
        for number in range(count):
            started.append(start_agent(service, group, directory / f"agent-{number}", environment))
        yield started
        for agent in started:
            agent.process.terminate()
        assert [agent.wait() for agent in started] == [0] * len(started)
    finally:
        for agent in started:
            agent.stop()


def start_agent(service: Service, group: str, place: Path, environment: Mapping[str, str]) -> AgentProcess:
    """An agent as fast as it can be; a second one at the same place takes over from the first."""
    place.mkdir(exist_ok=True)
    own = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DUCTRUNNER_"))},
        **environment,
        "AWS_ENDPOINT_URL_DATA_PIPELINE": service.part.endpoint,
        "DUCTRUNNER_CONFIG": os.devnull,
        **{f"DUCTRUNNER_AGENT_MAX_{name}_PER_SECOND": "100000" for name in ("POLLS", "REPORTS", "STATUSES")},
    }
    command = [str(Path(sys.executable).with_name("ductrunner")), "agent", f"--workerGroup={group}", f"--tasks={SLOTS}"]
    return AgentProcess(command, own, place)


def memory_of(started: list[AgentProcess]) -> tuple[int, ...]:
    """Resident bytes of each agent."""
    return tuple(psutil.Process(agent.process.pid).memory_info().rss for agent in started)


def await_ended(service: Service, started: list[AgentProcess], count: int) -> None:
    """Wait until the service has the outcome of so many attempts."""
    while ended_count(service) < count:
        for agent in started:
            assert agent.process.poll() is None, agent.text[-3000:]
        time.sleep(1.0 if count < 5000 else 5.0)


def ended_count(service: Service) -> int:
    """How many attempts have an outcome."""
    return sum(bool(attempt["statuses"]) for attempt in service.control("attempts")["attempts"])


def assert_nothing_lost(figures: Figures) -> None:
    """Every task has finished, once; only where an answer was lost on purpose was an outcome told again."""
    assert len(figures.attempts) == figures.tasks
    wrong = [attempt for attempt in figures.attempts if set(attempt["statuses"]) != {"FINISHED"}]
    assert wrong == []
    again = sum(len(attempt["statuses"]) - 1 for attempt in figures.attempts)
    assert again <= figures.lost_answers
    assert figures.runs == figures.tasks
