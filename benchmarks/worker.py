"""The worker: no-op tasks beside bare processes and Celery, what it needs when idle, how soon it is there.

``python -m benchmarks.worker [--tasks N] [--idle SECONDS] [--repeat N] [--no-peers]``; 300 tasks and 10 s are a quick
look. Tasks go through the sandbox's Data Pipeline service, one poll and two reports each, on this machine. All tasks
are in the queue before the clock starts. CPU is that of the worker itself, without the commands that it runs.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3

from benchmarks._agent import SLOTS, cpu_of, finished, now, run_no_ops, running_agent, seconds_between
from benchmarks._celery import PEERS, Load, is_there, run_celery
from sandbox.parts.datapipeline import DataPipelinePart
from sandbox.parts.moto import MotoPart

WARM_UP = 50
BUCKET = "bench-logs"
AGENT, BARE, CELERY = "ductrunner agent", "bare Popen and wait", "Celery, prefork"
#: Starts of the agent, and of commands that print their help.
STARTS = 5
HELPS = 11
HELP = {"ductrunner step upsert --help": ("step", "upsert", "--help"), "ductrunner --help": ("--help",)}


def main(arguments: list[str] | None = None) -> None:
    """Print tasks per second, CPU, memory and start-up times beside the peers'."""
    options = _options(sys.argv[1:] if arguments is None and __name__ == "__main__" else arguments or [])
    with tempfile.TemporaryDirectory(prefix="bench-worker-") as name:
        folder = Path(name)
        service, aws = DataPipelinePart(folder / "datapipeline"), MotoPart(folder / "aws")
        parts = [service, aws]
        try:
            for part in parts:
                part.start()
            _measure(Bench(service, aws, folder), options)
        finally:
            for part in reversed(parts):
                part.stop()


class Bench:
    """The services, and a client of each."""

    def __init__(self, service: DataPipelinePart, aws: MotoPart, folder: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DUCTRUNNER_"))}
        self.environment: Mapping[str, str] = {**kept, **aws.client_environment()}
        self.service = service
        self.folder = folder
        session = boto3.Session("AKIABENCHMARKS", "benchmark-secret", region_name="us-east-1")
        self.client: Any = session.client("datapipeline", endpoint_url=service.endpoint)
        session.client("s3", endpoint_url=aws.endpoint).create_bucket(Bucket=BUCKET)

    def ours(self, count: int, log_uri: str | None = None) -> Load:
        """Run ``count`` no-op tasks through service and agent."""
        with running_agent(self.service, self.folder, self.environment) as (group, agent, _):
            run_no_ops(self.client, group, WARM_UP, log_uri)
            agent.await_tasks(WARM_UP)
            with agent.held():
                pipelines = run_no_ops(self.client, group, count, log_uri)
                cpu, server, begin = agent.cpu(), self.service_cpu(), now()
            agent.await_tasks(WARM_UP + count)
            cpu, server = agent.cpu() - cpu, self.service_cpu() - server
            load = Load(count, seconds_between(begin, agent.ended()[-1]), cpu, server, agent.resident())
        if (done := finished(self.client, pipelines)) != count:
            raise RuntimeError(f"{done} of {count} tasks are FINISHED")
        return load

    def service_cpu(self) -> float:
        """Seconds of CPU that the Data Pipeline service has used."""
        process = self.service.process()
        if process is None:
            raise RuntimeError(f"the service has ended; see {self.service.log}")
        return cpu_of(process)

    def first_poll(self) -> tuple[float, float]:
        """Seconds from the start of an agent to its first poll, and those of CPU that it has used by then."""
        with running_agent(self.service, self.folder, self.environment) as (_, agent, seconds):
            return seconds, agent.cpu()

    def drain(self) -> float:
        """Seconds from SIGTERM to the end of an idle agent."""
        with running_agent(self.service, self.folder, self.environment) as (_, agent, _):
            begin = time.monotonic()
            agent.stop()
            return time.monotonic() - begin

    def idle(self, seconds: float) -> str:
        """Let an agent be idle for so long, twice; say what it holds then, and what it used in the second half."""
        with running_agent(self.service, self.folder, self.environment) as (_, agent, _):
            time.sleep(seconds)
            cpu = agent.cpu()
            time.sleep(seconds)
            share = 100 * (agent.cpu() - cpu) / seconds
            memory = f"{agent.resident():.1f} MB resident (beside it its guard, {agent.resident(guard=True):.1f} MB)"
        return f"idle for {2 * seconds:.0f} s: {memory}, {share:.3f} % CPU over the last {seconds:.0f} s"

    def celery(self, count: int) -> Load:
        """Run ``count`` no-op tasks through Redis and Celery."""
        return run_celery(Path(tempfile.mkdtemp(dir=self.folder)), count, SLOTS)


def bare(count: int) -> Load:
    """Start a shell and wait for it, in as many threads as the worker has slots."""
    numbers = iter(range(count))
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                if next(numbers, None) is None:
                    return
            subprocess.Popen(["bash", "-c", "true"]).wait()

    threads = [threading.Thread(target=work) for _ in range(SLOTS)]
    used, begin = time.process_time(), time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Load(count, time.monotonic() - begin, time.process_time() - used, 0.0, 0.0)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worker", description=__doc__)
    parser.add_argument("--tasks", type=int, default=2000)
    parser.add_argument("--idle", type=float, default=60.0, metavar="SECONDS")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--no-peers", dest="peers", action="store_false")
    return parser.parse_args(arguments)


def _measure(bench: Bench, options: argparse.Namespace) -> None:
    print(f"load average before: {_load_average()}", flush=True)
    _print_tasks(_run_tasks(bench, options))
    seconds, cpu = (
        statistics.median(values) for values in zip(*(bench.first_poll() for _ in range(STARTS)), strict=True)
    )
    print(f"\nstart to first poll: {seconds:.2f} s, {cpu:.2f} s of them CPU (medians of {STARTS})")
    ductrunner = str(Path(sys.executable).with_name("ductrunner"))
    for name, words in HELP.items():
        print(f"{name}: {_medians([ductrunner, *words])}")
    print(f"python -c pass: {_medians([sys.executable, '-c', 'pass'])}", flush=True)
    print(
        f"drain of an idle worker: {statistics.median(bench.drain() for _ in range(STARTS)):.2f} s (median of {STARTS})"
    )
    print(bench.idle(options.idle))
    print(f"load average after: {_load_average()}", flush=True)


def _run_tasks(bench: Bench, options: argparse.Namespace) -> dict[str, list[Load]]:
    contestants: dict[str, Callable[[int], Load]] = {AGENT: bench.ours, BARE: bare}
    if options.peers and is_there():
        contestants[CELERY] = bench.celery
    elif options.peers:
        print(f"Celery and Redis are missing: make {PEERS.parent} from requirements/bench.txt")
    loads: dict[str, list[Load]] = {name: [] for name in contestants}
    for _ in range(options.repeat):
        for name, contestant in contestants.items():
            loads[name].append(contestant(options.tasks))
    return loads | {f"{AGENT}, logs to S3": [bench.ours(options.tasks // 4, f"s3://{BUCKET}/logs")]}


def _print_tasks(loads: dict[str, list[Load]]) -> None:
    rates = {name: statistics.median(load.rate for load in measured) for name, measured in loads.items()}
    head = "tasks/s   all tasks/s           CPU ms/task   of the server   MB   of bare"
    print(f"\n{SLOTS} slots, no-op tasks{'':9} {head}", flush=True)
    for name, measured in loads.items():
        every = " ".join(f"{load.rate:.0f}" for load in measured)
        cpu = statistics.median(1000 * load.cpu / load.tasks for load in measured)
        server = statistics.median(1000 * load.server_cpu / load.tasks for load in measured)
        memory = max(load.resident for load in measured)
        used = f"{cpu:11.2f} {server:15.2f} {memory:4.0f}" if name != BARE else f"{cpu:11.2f} {'-':>15} {'-':>4}"
        print(f"{name:28} {rates[name]:7.0f}   {every:20} {used} {rates[name] / rates[BARE]:9.2f}", flush=True)
    if CELERY in rates:
        print(f"agent / Celery: {rates[AGENT] / rates[CELERY]:.2f}", flush=True)


def _medians(command: list[str]) -> str:
    """Milliseconds of a command from start to end, and those of CPU; medians."""
    measured = []
    for _ in range(HELPS):
        begin = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{command} ended with {process.returncode}")
        measured.append((time.monotonic() - begin, used.ru_utime + used.ru_stime))
    seconds, cpu = (1000 * statistics.median(values) for values in zip(*measured, strict=True))
    return f"{seconds:.0f} ms, {cpu:.0f} ms of them CPU (medians of {HELPS})"


def _load_average() -> str:
    return " ".join(f"{load:.1f}" for load in os.getloadavg())


if __name__ == "__main__":
    main()
