"""The Data Pipeline service of the sandbox: 150 pipelines of 20 steps through one agent with 8 slots.

``python -m benchmarks.service [--pipelines N] [--steps N] [--slots N]``. All pipelines are activated while the agent
stands still; the clock runs from its first task to the last end. Every step is a no-op that writes a data node, which
two later steps read, so that the service works out dependencies and evaluates the objects of every task. Beside the
agent a probe polls a group of its own, for which tasks wait, and takes the time of each answer.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import secrets
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import boto3

from benchmarks._agent import ACTIVITIES, Agent, api_object, cpu_of, now, run_no_ops, running_agent, seconds_between
from sandbox.parts.datapipeline import DataPipelinePart

#: What must hold: completions a second, and the median answer to a poll in milliseconds.
RATE, ANSWER = 50, 50
PROBE_GROUP = "probe"
PROBE_INTERVAL = 0.1  # seconds
HEADERS = {"X-Amz-Target": "DataPipeline.PollForTask", "Content-Type": "application/x-amz-json-1.1"}


class Probe:
    """Polls at intervals from another process than the agent, and remembers how long each answer took."""

    def __init__(self, part: DataPipelinePart) -> None:
        self._connection = http.client.HTTPConnection(part.endpoint.partition("://")[2], timeout=100)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._poll_on, name="probe")
        #: Milliseconds.
        self.answers: list[float] = []

    def __enter__(self) -> Probe:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        self._connection.close()

    def _poll_on(self) -> None:
        while not self._stopped.wait(PROBE_INTERVAL):
            begin = time.monotonic()
            self._connection.request("POST", "/", json.dumps({"workerGroup": PROBE_GROUP}), HEADERS)
            answer = json.loads(self._connection.getresponse().read())
            if answer.get("taskObject") is None:
                raise RuntimeError("the tasks for the probe have run out")
            self.answers.append(1000 * (time.monotonic() - begin))


def main(arguments: list[str] | None = None) -> None:
    """Print completions a second, the answers to polls, and the CPU of service and agent."""
    options = _options(sys.argv[1:] if arguments is None and __name__ == "__main__" else arguments or [])
    with tempfile.TemporaryDirectory(prefix="bench-service-") as name:
        part = DataPipelinePart(Path(name) / "datapipeline")
        try:
            part.start()
            _measure(part, Path(name), options)
        finally:
            part.stop()


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.service", description=__doc__)
    parser.add_argument("--pipelines", type=int, default=150)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--slots", type=int, default=8)
    return parser.parse_args(arguments)


def _measure(part: DataPipelinePart, folder: Path, options: argparse.Namespace) -> None:
    print(f"load average before: {_load_average()}", flush=True)
    client = boto3.Session("AKIABENCHMARKS", "benchmark-secret", region_name="us-east-1").client(
        "datapipeline", endpoint_url=part.endpoint
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DUCTRUNNER_"))}
    keys = {"AWS_ACCESS_KEY_ID": "AKIABENCHMARKS", "AWS_SECRET_ACCESS_KEY": "any", "AWS_REGION": "us-east-1"}
    run_no_ops(client, PROBE_GROUP, 20 * ACTIVITIES)
    with running_agent(part, folder, kept | keys, options.slots) as (group, agent, _):
        with agent.held():
            begin = time.monotonic()
            pipelines = [_activated(client, group, options.steps) for _ in range(options.pipelines)]
            _print_activation(len(pipelines), options.steps, time.monotonic() - begin)
            before = _cpu(part, agent)
            started = now()
        with Probe(part) as probe:
            agent.await_tasks(options.pipelines * options.steps)
        seconds = seconds_between(started, agent.ended()[-1])
        used = [after - earlier for after, earlier in zip(_cpu(part, agent), before, strict=True)]
    _check(client, pipelines)
    _print(options.pipelines * options.steps, seconds, used, probe.answers)
    print(f"load average after: {_load_average()}", flush=True)


def _activated(client: Any, group: str, steps: int) -> str:
    """Put and activate a pipeline: step n reads what step n // 2 has written."""
    default = {"scheduleType": "ondemand", "workerGroup": group, "maximumRetries": "0"}
    objects = [api_object("Default", default)]
    for number in range(steps):
        path = f"s3://bench/#{{format(@scheduledStartTime,'YYYY-MM-dd')}}/{number}"
        objects.append(api_object(f"Node{number}", {"type": "S3DataNode", "directoryPath": path}))
        step = {"type": "ShellCommandActivity", "command": "true", "output": f">Node{number}"}
        step |= {"input": f">Node{(number - 1) // 2}"} if number else {}
        objects.append(api_object(f"Step{number}", step))
    pipeline: str = client.create_pipeline(name="bench", uniqueId=secrets.token_hex(8))["pipelineId"]
    answer = client.put_pipeline_definition(pipelineId=pipeline, pipelineObjects=objects)
    if answer["errored"]:
        raise RuntimeError(f"the definition is refused: {answer['validationErrors']}")
    client.activate_pipeline(pipelineId=pipeline)
    return pipeline


def _cpu(part: DataPipelinePart, agent: Agent) -> tuple[float, float]:
    process = part.process()
    if process is None:
        raise RuntimeError(f"the service has ended; see {part.log}")
    return cpu_of(process), agent.cpu()


def _check(client: Any, pipelines: list[str]) -> None:
    """Every pipeline is FINISHED once its last outcome has arrived, which was sent before the agent's log said so."""
    for first in range(0, len(pipelines), 25):
        described = client.describe_pipelines(pipelineIds=pipelines[first : first + 25])["pipelineDescriptionList"]
        for entry in described:
            state = next(each["stringValue"] for each in entry["fields"] if each["key"] == "@pipelineState")
            if state != "FINISHED":
                raise RuntimeError(f"{entry['pipelineId']} is {state}")


def _print_activation(count: int, steps: int, seconds: float) -> None:
    print(f"{count} pipelines of {steps} steps created, defined and activated in {seconds:.1f} s", flush=True)


def _print(tasks: int, seconds: float, used: list[float], answers: list[float]) -> None:
    service, agent = (1000 * each / tasks for each in used)
    rate, ranked = tasks / seconds, statistics.quantiles(answers, n=100)
    print(f"{tasks} tasks in {seconds:.1f} s: {rate:.0f} completions/s (aim {RATE})")
    print(f"CPU a task: service {service:.2f} ms, agent {agent:.2f} ms")
    spread = ", ".join(f"{name} {value:.1f}" for name, value in _spread(ranked, max(answers)))
    print(f"{len(answers)} polls answered in ms: {spread} (aim: median {ANSWER})")


def _spread(ranked: list[float], longest: float) -> list[tuple[str, float]]:
    return [("median", ranked[49]), ("p90", ranked[89]), ("p99", ranked[98]), ("longest", longest)]


def _load_average() -> str:
    return " ".join(f"{load:.1f}" for load in os.getloadavg())


if __name__ == "__main__":
    main()
