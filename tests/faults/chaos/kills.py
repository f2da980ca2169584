"""Random deaths for a while: of agents, of their guards, of commands, of the service; then everything must be right."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from tests.faults.matrix.launcher import kill, processes_with
from tests.faults.soak.soak import AGENTS, Service, start_agent
from tests.integration.agent.conftest import AgentProcess, eventually

#: Marks every process of these agents.
MARK = "DUCTRUNNER_FAULT_CASE"
#: Seconds between two deaths, at most.
LONGEST_PAUSE = 3.0
#: Activities that run while things die; each takes a moment, so that there is something to kill.
TASKS = 600
COMMAND = "sleep 0.$((RANDOM % 9))"
SETTLING = 600.0  # seconds
GROUP = "chaos"


class Kills:
    """The agents of one group, one of which dies now and then."""

    def __init__(self, directory: Path, seed: int, environment: Mapping[str, str]) -> None:
        self._chance = random.Random(seed)
        self._directory = directory
        self._mark = f"chaos-{seed}"
        self._environment = {**environment, MARK: self._mark}
        self.service = Service(directory)
        self.agents = [self._start(number) for number in range(AGENTS)]
        self.deaths: Counter[str] = Counter()

    def strike(self) -> None:
        """Kill one thing, and start again what does not start by itself."""
        number = self._chance.randrange(AGENTS)
        who = self._chance.choice(["agent", "guard", "everything", "command", "service"])
        self.deaths[who] += 1
        if who == "service":
            kill([self.service.part.process().pid])
            eventually(lambda: self.service.part.process() is None, "the end of the service")
            self.service.part.start()
            return
        family = self._family(self.agents[number])
        guards = [entry.pid for entry in family if "guard_process" in " ".join(_words(entry))]
        others = [entry.pid for entry in family if entry.pid not in guards]
        if who == "command":
            kill(self._chance.sample(others, min(1, len(others))))
            return
        kill({"guard": guards, "everything": [*guards, *others], "agent": []}[who])
        if who != "guard":
            self.agents[number].process.kill()
        self.agents[number].process.wait(60)
        self.agents[number] = self._start(number)

    def keep_alive(self) -> None:
        """Start again what has ended by itself: an agent whose guard died stops loudly."""
        for number, agent in enumerate(self.agents):
            if agent.process.poll() is not None:
                self.agents[number] = self._start(number)

    def settle(self) -> list[dict[str, Any]]:
        """Wait until every activity has finished; let the agents go; return the service's record."""

        def finished() -> bool:
            self.keep_alive()
            pipelines = self.service.client.list_pipelines()["pipelineIdList"]
            return all(self._state(entry["id"]) == "FINISHED" for entry in pipelines)

        eventually(finished, "every activity to finish", SETTLING, look=1.0)
        eventually(lambda: not list(self._directory.glob("agent-*/output/journal/*/*-*")), "no report to be owed")
        for agent in self.agents:
            agent.process.terminate()
            assert agent.wait() == 0, agent.text[-2000:]
        eventually(lambda: not processes_with(f"{MARK}={self._mark}".encode()), "no process to be left")
        for name in ("tmp", "staging"):
            assert list(self._directory.glob(f"agent-*/output/{name}/*")) == []
        return list(self.service.control("attempts")["attempts"])

    def close(self) -> None:
        """End everything."""
        for agent in self.agents:
            agent.stop()
        kill(processes_with(f"{MARK}={self._mark}".encode()))
        self.service.close()

    def _start(self, number: int) -> AgentProcess:
        return start_agent(self.service, GROUP, self._directory / f"agent-{number}", self._environment)

    def _family(self, agent: AgentProcess) -> list[psutil.Process]:
        try:
            return psutil.Process(agent.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def _state(self, pipeline: str) -> str:
        [described] = self.service.client.describe_pipelines(pipelineIds=[pipeline])["pipelineDescriptionList"]
        return next(field["stringValue"] for field in described["fields"] if field["key"] == "@pipelineState")


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def run_kills(directory: Path, seed: int, environment: Mapping[str, str], seconds: float) -> str:
    """Kill for so many seconds while tasks run; check that each has finished, with every attempt told once."""
    chance = random.Random(seed + 1)
    kills = Kills(directory, seed, environment)
    try:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not sum(kills.service.control("health")["queued"].values()):
                kills.service.activate(GROUP, TASKS, COMMAND, retries=5)
            time.sleep(chance.uniform(0.2, LONGEST_PAUSE))
            kills.keep_alive()
            kills.strike()
        told = kills.settle()
    finally:
        kills.close()
    twice = [
        attempt
        for attempt in told
        if attempt["status"] in {"FINISHED", "FAILED"} and len(set(attempt["statuses"])) != 1
    ]
    assert twice == []
    failed = Counter(attempt["errorId"] for attempt in told if attempt["status"] == "FAILED")
    return f"{len(told)} attempts, deaths {dict(kills.deaths)}, failed attempts {dict(failed)}"
