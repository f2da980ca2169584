"""The worker under test: a real ``ductrunner agent`` process before the sandbox's Data Pipeline service."""

from __future__ import annotations

import itertools
import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from sandbox.parts.datapipeline import DataPipelinePart

#: A pipeline may hold 100 objects, one of which is ``Default``.
ACTIVITIES = 99
SLOTS = 4
PATIENCE = 600.0  # seconds


def wait_until(condition: Callable[[], bool], interval: float, what: str) -> None:
    """Look every ``interval`` seconds until it is so."""
    give_up = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > give_up:
            raise TimeoutError(f"waited {PATIENCE:.0f} s in vain for {what}")
        time.sleep(interval)


def cpu_of(process: psutil.Process) -> float:
    """Seconds of CPU that a process itself has used."""
    used = process.cpu_times()
    return float(used.user + used.system)


class Agent:
    """A running agent; what it has logged and what it has used."""

    def __init__(
        self, part: DataPipelinePart, group: str, folder: Path, environment: Mapping[str, str], slots: int = SLOTS
    ) -> None:
        self._part = part
        self._log = folder / f"{group}.log"
        own = {
            "AWS_ENDPOINT_URL_DATA_PIPELINE": part.endpoint,
            "DUCTRUNNER_CONFIG": os.devnull,
            "DUCTRUNNER_AGENT_MAX_POLLS_PER_SECOND": "100000",
            "DUCTRUNNER_AGENT_MAX_REPORTS_PER_SECOND": "100000",
            "DUCTRUNNER_AGENT_MAX_STATUSES_PER_SECOND": "100000",
            "DUCTRUNNER_AGENT_LISTEN": "127.0.0.1:0",
        }
        command = [str(Path(sys.executable).with_name("ductrunner")), "agent", f"--workerGroup={group}"]
        command += [f"--tasks={slots}", f"--output={folder / group}"]
        self._started = time.monotonic()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=folder, env={**environment, **own}, start_new_session=True
            )
        self.process = psutil.Process(self._process.pid)

    def await_poll(self) -> float:
        """Wait until its poll is open at the service; return the seconds since its start."""
        wait_until(lambda: _open_polls(self._part) > 0, 0.002, "the first poll")
        return time.monotonic() - self._started

    def cpu(self) -> float:
        """Seconds of CPU that the process itself has used, without its children."""
        return cpu_of(self.process)

    def resident(self, *, guard: bool = False) -> float:
        """Resident MB, of the process or of its guard."""
        who = self.process.children()[0] if guard else self.process
        return float(who.memory_info().rss / 1024 / 1024)

    def ended(self) -> list[dict[str, Any]]:
        """The log lines of the tasks that have ended."""
        lines = self._log.read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if '"task_ended"' in line and line.endswith("\n")]

    def await_tasks(self, count: int) -> None:
        """Wait until so many tasks have ended."""
        known = 0
        with self._log.open() as log:

            def done() -> bool:
                nonlocal known
                known += sum('"task_ended"' in line for line in log)
                return known >= count

            wait_until(done, 0.05, f"{count} ended tasks")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Stop the process in its tracks meanwhile."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it in good order."""
        self._process.terminate()
        if self._process.wait(60):
            raise RuntimeError(f"the agent ended with {self._process.returncode}: {self._log.read_text()[-2000:]}")


@contextmanager
def running_agent(
    part: DataPipelinePart, folder: Path, environment: Mapping[str, str], slots: int = SLOTS
) -> Iterator[tuple[str, Agent, float]]:
    """Yield a worker group, the agent that serves it, and the seconds from its start to its first poll."""
    group = f"bench-{secrets.token_hex(4)}"
    wait_until(lambda: _open_polls(part) == 0, 0.1, "the polls of those who have gone")
    agent = Agent(part, group, folder, environment, slots)
    try:
        yield group, agent, agent.await_poll()
    finally:
        agent.stop()


def run_no_ops(client: Any, group: str, count: int, log_uri: str | None = None) -> list[str]:
    """Put and activate pipelines of ``count`` no-op activities in all; return their ids."""
    names = (f"Work{number}" for number in range(count))
    pipelines = []
    while batch := list(itertools.islice(names, ACTIVITIES)):
        default = {"scheduleType": "ondemand", "workerGroup": group, "maximumRetries": "0"}
        default |= {"pipelineLogUri": log_uri} if log_uri else {}
        work = [api_object(name, {"type": "ShellCommandActivity", "command": "true"}) for name in batch]
        pipeline = client.create_pipeline(name="no-op", uniqueId=secrets.token_hex(8))["pipelineId"]
        answer = client.put_pipeline_definition(
            pipelineId=pipeline, pipelineObjects=[api_object("Default", default), *work]
        )
        if answer["errored"]:
            raise RuntimeError(f"the definition is refused: {answer['validationErrors']}")
        pipelines.append(pipeline)
    for pipeline in pipelines:
        client.activate_pipeline(pipelineId=pipeline)
    return pipelines


def finished(client: Any, pipelines: list[str]) -> int:
    """The number of attempts that the service has as FINISHED."""
    operator = {"type": "EQ", "values": ["FINISHED"]}
    query = {"selectors": [{"fieldName": "@status", "operator": operator}]}
    pages = client.get_paginator("query_objects")
    return sum(
        len(page["ids"])
        for pipeline in pipelines
        for page in pages.paginate(pipelineId=pipeline, sphere="ATTEMPT", query=query)
    )


def seconds_between(first: datetime, line: dict[str, Any]) -> float:
    """Seconds from a moment to a line of the agent's log."""
    return (datetime.fromisoformat(line["time"]) - first).total_seconds()


def now() -> datetime:
    """The moment, as the agent's log has it."""
    return datetime.now(UTC)


def api_object(name: str, fields: Mapping[str, str]) -> dict[str, Any]:
    """An object in API form; a value that begins with ``>`` is a reference."""
    entries = [{"key": key, _slot(value): value.removeprefix(">")} for key, value in fields.items()]
    return {"id": name, "name": name, "fields": entries}


def _slot(value: str) -> str:
    return "refValue" if value.startswith(">") else "stringValue"


def _open_polls(part: DataPipelinePart) -> int:
    with urllib.request.urlopen(f"{part.endpoint}/_sandbox/health") as answer:
        return int(json.load(answer)["polls"])
