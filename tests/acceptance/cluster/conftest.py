"""Activities of a cluster as commands of their own, with the engines of one machine and a real S3."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.agent.conftest import bench, manual_service  # noqa: F401  # fixtures

MAPPER = """#!/usr/bin/env python3
import sys
for line in sys.stdin:
    for word in line.split():
        print(f"LongValueSum:{word}\\t1")
"""


class Bucket:
    """A bucket with some words in ``in/`` and a mapper that counts them."""

    def __init__(self, client: Any, name: str) -> None:
        self.client = client
        self.name = name
        self.put("in/a.txt", "hello world\n")
        self.put("in/b.txt", "hello again\n")
        self.put("map.py", MAPPER)

    def __str__(self) -> str:
        return f"s3://{self.name}"

    def put(self, key: str, text: str | bytes) -> str:
        """Write an object; return its address."""
        self.client.put_object(Bucket=self.name, Key=key, Body=text.encode() if isinstance(text, str) else text)
        return f"s3://{self.name}/{key}"

    def keys(self, prefix: str = "") -> list[str]:
        """The keys that begin so."""
        listed = self.client.list_objects_v2(Bucket=self.name, Prefix=prefix)
        return [entry["Key"] for entry in listed.get("Contents", [])]

    def lines(self, prefix: str) -> list[str]:
        """The lines of all part files below a folder, sorted."""
        parts = [key for key in self.keys(prefix) if "/part-" in key]
        texts = [self.client.get_object(Bucket=self.name, Key=key)["Body"].read().decode() for key in parts]
        return sorted("".join(texts).splitlines())


class Steps:
    """Runs steps as processes, one at a time."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.result = directory / "attempt" / "result.json"
        self.result.parent.mkdir()
        self._started: list[subprocess.Popen[str]] = []

    def start(self, activity: dict[str, Any], **variables: str) -> subprocess.Popen[str]:
        """Start the step of an activity."""
        words = {"EmrActivity": "emr", "HadoopActivity": "hadoop", "PigActivity": "pig"}
        parameters = self._directory / "parameters.json"
        parameters.write_text(json.dumps({"id": "Work", **activity}))
        name = f"{words[activity['type']]}-activity"
        command = [sys.executable, "-m", "ductrunner", "step", name, "--params", str(parameters)]
        own = {
            "DUCTRUNNER_RESULT": str(self.result),
            "DUCTRUNNER_PIPELINE_ID": "df-1",
            "DUCTRUNNER_ATTEMPT_ID": "@Work_2026-11-01T00:00:00_Attempt=1",
        }
        process = subprocess.Popen(
            command,
            env={**os.environ, **own, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._started.append(process)
        return process

    def end(self) -> None:
        """End what a test that failed has left."""
        for process in self._started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()

    def run(self, activity: dict[str, Any], **variables: str) -> tuple[int, str, str]:
        """Run it to its end; return exit status, stdout and stderr."""
        process = self.start(activity, **variables)
        out, err = process.communicate(timeout=120)
        assert [path.name for path in self.result.parent.iterdir()] == ["result.json"], "the step left files behind"
        return process.returncode, out, err

    def finish(self, activity: dict[str, Any], **variables: str) -> str:
        """Run it; it must end well; return its stdout."""
        status, out, err = self.run(activity, **variables)
        assert status == 0, err[-4000:]
        return out

    def fail(self, activity: dict[str, Any], **variables: str) -> dict[str, Any]:
        """Run it; it must fail; return its result."""
        status, _, _ = self.run(activity, **variables)
        assert status != 0
        document: dict[str, Any] = json.loads(self.result.read_text())
        assert document["status"] == "failed"
        return document


@pytest.fixture
def bucket(s3_client: Any, s3_bucket: str) -> Bucket:
    """Words to count, in S3."""
    return Bucket(s3_client, s3_bucket)


@pytest.fixture
def steps(tmp_path: Path, engines: Path, aws_environment: str) -> Iterator[Steps]:
    """Runs steps with the engines on PATH."""
    made = Steps(tmp_path)
    yield made
    made.end()


@pytest.fixture
def streaming(bucket: Bucket) -> Callable[[str], list[str]]:
    """Arguments of streaming that count the bucket's words into a folder of it."""
    return lambda output: ["-files", f"{bucket}/map.py", "-mapper", "map.py", "-reducer", "aggregate", "-input",
                           f"{bucket}/in/", "-output", f"{bucket}/{output}"]  # fmt: skip
