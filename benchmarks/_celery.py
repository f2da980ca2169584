"""Celery as a peer of the worker: prefork pool, Redis as broker and result backend, default options."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox import ports

PEERS = Path(__file__).resolve().parents[1] / ".venv-bench" / "bin"
APPLICATION = """
import os, subprocess
from celery import Celery
app = Celery("peer", broker=os.environ["PEER_REDIS"], backend=os.environ["PEER_REDIS"])
@app.task
def no_op():
    return subprocess.Popen(["bash", "-c", "true"]).wait()
"""
#: The messages lie in the queue before the worker may take the first, as the tasks of our worker do.
DRIVER = """
import json, sys, time
import psutil
from celery import group
from peer import app, no_op
worker, redis, count = psutil.Process(int(sys.argv[1])), psutil.Process(int(sys.argv[2])), int(sys.argv[3])
group(no_op.s() for _ in range(50)).apply_async().get()
app.control.cancel_consumer("celery", reply=True)
result = group(no_op.s() for _ in range(count)).apply_async()
processes = [worker, *worker.children()]
def cpu(those):
    return sum(used.user + used.system for used in (process.cpu_times() for process in those))
worker_before, server_before, begin = cpu(processes), cpu([redis]), time.monotonic()
app.control.add_consumer("celery")
assert not any(result.get())
seconds = time.monotonic() - begin
resident = sum(process.memory_info().rss for process in processes)
used = {"cpu": cpu(processes) - worker_before, "server_cpu": cpu([redis]) - server_before}
print(json.dumps({"seconds": seconds, **used, "resident": resident / 1024 / 1024}))
"""


@dataclass(frozen=True)
class Load:
    """What a number of no-op tasks took: wall seconds, CPU seconds of the worker and of what hands out, resident MB."""

    tasks: int
    seconds: float
    cpu: float
    server_cpu: float
    resident: float

    @property
    def rate(self) -> float:
        """Tasks per second."""
        return self.tasks / self.seconds


def is_there() -> bool:
    """Say whether the peers are installed."""
    return all((PEERS / name).exists() for name in ("celery", "redis-server"))


def run_celery(folder: Path, count: int, slots: int) -> Load:
    """Run ``count`` no-op tasks with a prefork pool of ``slots`` processes."""
    (folder / "peer.py").write_text(APPLICATION)
    port = ports.choose(None)
    environment = {**os.environ, "PEER_REDIS": f"redis://{ports.HOST}:{port}/0"}
    redis = ["redis-server", "--port", str(port), "--bind", ports.HOST, "--save", "", "--dir", str(folder)]
    worker = ["celery", "-A", "peer", "worker", "--pool=prefork", f"--concurrency={slots}", "--loglevel=WARNING"]
    with _running(redis, folder, environment) as server:
        while not ports.is_answering(port):
            time.sleep(0.02)
        with _running(worker, folder, environment) as process:
            command = [str(PEERS / "python"), "-c", DRIVER, str(process.pid), str(server.pid), str(count)]
            done = subprocess.run(
                command, capture_output=True, text=True, cwd=folder, env=environment, timeout=600, check=False
            )
    if done.returncode:
        raise RuntimeError(f"the peer failed: {done.stderr[-2000:]}")
    return Load(count, **json.loads(done.stdout))


@contextmanager
def _running(words: list[str], folder: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / f"{words[0]}.log").open("wb") as log:
        process = subprocess.Popen(
            [str(PEERS / words[0]), *words[1:]], stdout=log, stderr=log, cwd=folder, env=environment
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)
