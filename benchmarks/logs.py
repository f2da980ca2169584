"""Log shipping: lines a second into moto's CloudWatch Logs beside watchtower and the endpoint's own ceiling; what a
chatty task costs the agent; how soon a line is seen; memory under much output.

``python -m benchmarks.logs [--lines N] [--seconds S] [--megabytes N] [--no-peers]``. The ceiling are the same batches,
made beforehand and sent raw, one after the other, by a bare connection.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3

from agent.logs.cloudwatch import CloudWatch
from agent.logs.notes import Notes
from agent.logs.shipper import Shipper
from agent.logs.steady_time import SteadyTime
from agent.logs.tail import Tail, Target
from benchmarks._agent import Agent, running_agent, wait_until
from sandbox.parts.datapipeline import DataPipelinePart
from sandbox.parts.moto import MotoPart
from stores.endpoint import service_endpoint
from stores.identity import Identity

PEERS = Path(__file__).parent.parent / ".venv-bench" / "bin" / "python"
GROUP = "/bench"
LINE = "2026-01-01 00:00:00,000 INFO loader wrote row {:09d} of table public.orders into the staging area\n"
PYTHON = """import time
end, n = time.time() + {seconds}, 0
while time.time() < end:
    print("line", n)
    n += 1
"""
CHATTY = {
    "python, print": f"python3 -c '{PYTHON}'",
    "bash, echo": "e=$((SECONDS+{seconds})); n=0; while ((SECONDS<e)); do echo line $n; n=$((n+1)); done",
}
WATCHTOWER = """
import logging, sys, time, boto3, watchtower
path, group, stream = sys.argv[1:]
names = {"log_group_name": group, "log_stream_name": stream}
handler = watchtower.CloudWatchLogHandler(**names, boto3_client=boto3.client("logs"))
logger = logging.getLogger("peer"); logger.addHandler(handler); logger.setLevel("INFO"); logger.propagate = False
begin = time.perf_counter()
for line in open(path): logger.info(line.rstrip("\\n"))
handler.flush()
print(time.perf_counter() - begin)
handler.close()
"""


def main(arguments: list[str] | None = None) -> None:
    """Print everything."""
    options = _options(sys.argv[1:] if arguments is None and __name__ == "__main__" else arguments or [])
    with tempfile.TemporaryDirectory(prefix="bench-logs-") as name:
        folder = Path(name)
        service, aws = DataPipelinePart(folder / "datapipeline"), MotoPart(folder / "aws")
        try:
            for part in (service, aws):
                part.start()
            bench = Bench(service, aws, folder)
            bench.throughput(options.lines, peers=not options.no_peers)
            bench.agent_costs(options.seconds, options.megabytes)
        finally:
            for part in (aws, service):
                part.stop()


class Bench:
    """The services, and what is measured with them."""

    def __init__(self, service: DataPipelinePart, aws: MotoPart, folder: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DUCTRUNNER_"))}
        self.environment = {**kept, **aws.client_environment()}
        os.environ.update(aws.client_environment())
        self.service = service
        self.folder = folder
        self.logs: Any = boto3.client("logs")
        self.pipelines: Any = boto3.client("datapipeline", endpoint_url=service.endpoint)
        self.logs.create_log_group(logGroupName=GROUP)
        self.endpoint = service_endpoint("logs", Identity())

    def throughput(self, count: int, *, peers: bool) -> None:
        """Lines a second, ours, raw, watchtower's, in turns."""
        path = self.folder / "lines"
        path.write_text("".join(LINE.format(number) for number in range(count)))
        ways: dict[str, Callable[[str], float]] = {
            "the endpoint's ceiling (raw)": lambda stream: self._raw(path, stream),
            "ours": lambda stream: self._ours(path, stream),
        }
        if peers and PEERS.exists():
            ways["watchtower"] = lambda stream: self._watchtower(path, stream)
        found: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(3):
            for number, (name, way) in enumerate(ways.items()):
                found[name].append(count / way(f"way{number}-{turn}"))
        ceilings = found["the endpoint's ceiling (raw)"]
        for name, rates in found.items():
            share = statistics.median(rate / ceiling for rate, ceiling in zip(rates, ceilings, strict=True))
            shown = " ".join(f"{rate:,.0f}" for rate in rates)
            print(
                f"{name:32} {statistics.median(rates):10,.0f} lines/s, {share:.2f} of the ceiling ({shown})", flush=True
            )

    def _raw(self, path: Path, stream: str) -> float:
        cloudwatch = CloudWatch(lambda: self.endpoint, SteadyTime())
        target = Target(GROUP, stream)
        cloudwatch.open(target)
        tail = _written(Tail(target, [path], SteadyTime()), path)
        batches = []
        while batch := tail.next_batch():
            batches.append(batch)
            tail.sent(batch)
        begin = time.perf_counter()
        for batch in batches:
            cloudwatch.put(target, batch)
        return time.perf_counter() - begin

    def _ours(self, path: Path, stream: str) -> float:
        steady = SteadyTime()
        notes = Notes(self.folder, steady)
        shipper = Shipper(CloudWatch(lambda: self.endpoint, steady), notes, steady, 0.0, 1 << 40)
        tail = shipper.open(Target(GROUP, stream), [path])
        begin = time.perf_counter()
        _written(tail, path)
        while not (tail.ended and tail.settled):
            shipper.step()
        seconds = time.perf_counter() - begin
        shipper.finish()
        return seconds

    def _watchtower(self, path: Path, stream: str) -> float:
        command = [str(PEERS), "-c", WATCHTOWER, str(path), GROUP, stream]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True)
        return float(done.stdout)

    def agent_costs(self, seconds: int, megabytes: int) -> None:
        """What chatty tasks cost a real agent, with and without shipping."""
        for shipping in ("true", "false"):
            environment = {**self.environment, "DUCTRUNNER_LOGGING_CLOUDWATCH": shipping}
            with running_agent(self.service, self.folder, environment) as (group, agent, _):
                title = "shipping on" if shipping == "true" else "shipping off"
                if shipping == "true":
                    self._latency(group, agent)
                for name, command in CHATTY.items():
                    self._chatty(f"{name}, {title}", group, agent, command.format(seconds=seconds))
                before = agent.resident()
                begin = time.perf_counter()
                self._run(group, agent, f"head -c {megabytes}000000 /dev/zero | tr '\\0' x | fold -w 99")
                took = time.perf_counter() - begin
                memory = f"{before:.1f} → {agent.resident():.1f} MB resident"
                print(f"{megabytes} MB of output, {title}: {took:.1f} s, {memory}", flush=True)

    def _latency(self, group: str, agent: Agent) -> None:
        """Seconds from a line's own time to when ``get_log_events`` shows it."""
        command = 'python3 -u -c "import time\nfor n in range(20): print(time.time()); time.sleep(0.5)"'
        pipeline = _activate(self.pipelines, group, command)
        seen: dict[str, float] = {}
        while len(seen) < 20:
            for message in _messages(self.logs, f"/ductrunner/{group}", f"tasks/{pipeline}/"):
                seen.setdefault(message, time.time())
            time.sleep(0.02)
        wait_until(lambda: bool(agent.ended()), 0.05, "the task's end")
        delays = sorted(moment - float(message) for message, moment in seen.items())
        print(f"from print to get_log_events: median {statistics.median(delays):.2f} s, longest {delays[-1]:.2f} s")

    def _chatty(self, title: str, group: str, agent: Agent, command: str) -> None:
        measured = f"{command}\n times >&2"
        own = agent.cpu()
        task, lines = self._run(group, agent, measured)
        own = agent.cpu() - own
        share = f"{100 * own / task:.1f} %"
        print(f"{title:28} {lines:10,} lines, task {task:.1f} s CPU, agent {own:.2f} s: {share}", flush=True)

    def _run(self, group: str, agent: Agent, command: str) -> tuple[float, int]:
        """Run a command as a task; return its seconds of CPU, as far as it told them, and its lines."""
        known = len(agent.ended())
        pipeline = _activate(self.pipelines, group, command)
        wait_until(lambda: len(agent.ended()) > known, 0.05, "the task's end")
        [directory] = (self.folder / group / "logs" / pipeline / "Work").glob("*/*")
        with (directory / "StdOutput").open("rb") as file:
            lines = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
        return _cpu_told((directory / "StdError").read_text()), lines


def _written(tail: Tail, path: Path) -> Tail:
    tail.wrote(0, path.stat().st_size)
    tail.end()
    return tail


def _cpu_told(text: str) -> float:
    """Seconds in bash's ``times``: of the shell and of its children, user and system."""
    words = text.split()
    parts = [word[:-1].split("m") for word in words if word.endswith("s") and "m" in word]
    return sum(60 * float(minutes) + float(seconds) for minutes, seconds in parts)


def _messages(logs: Any, group: str, prefix: str) -> list[str]:
    try:
        streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=prefix)["logStreams"]
    except logs.exceptions.ResourceNotFoundException:
        return []
    answers = [logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"]) for stream in streams]
    return [event["message"] for answer in answers for event in answer["events"]]


def _activate(client: Any, group: str, command: str) -> str:
    pipeline = client.create_pipeline(name="chatty", uniqueId=os.urandom(8).hex())["pipelineId"]
    default = {"scheduleType": "ondemand", "workerGroup": group, "maximumRetries": "0"}
    work = {"type": "ShellCommandActivity", "command": command}
    objects = [_object("Default", default), _object("Work", work)]
    answer = client.put_pipeline_definition(pipelineId=pipeline, pipelineObjects=objects)
    if answer["errored"]:
        raise RuntimeError(json.dumps(answer["validationErrors"]))
    client.activate_pipeline(pipelineId=pipeline)
    return str(pipeline)


def _object(name: str, fields: dict[str, str]) -> dict[str, Any]:
    return {"id": name, "name": name, "fields": [{"key": key, "stringValue": text} for key, text in fields.items()]}


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.logs", description=__doc__)
    parser.add_argument("--lines", type=int, default=300_000)
    parser.add_argument("--seconds", type=int, default=10, help="that a chatty task talks")
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--no-peers", action="store_true")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
