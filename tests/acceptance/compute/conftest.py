"""Steps that run scripts, in this process and as commands, with a real S3."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from steps_impl.contract import StepContext, StepResult
from steps_impl.registry import load_step
from tests.integration.agent.conftest import bench, manual_service  # noqa: F401  # fixtures
from tests.phases import Silent


class Place:
    """A bucket, and steps that work on it."""

    def __init__(self, client: Any, bucket: str, directory: Path) -> None:
        self.client = client
        self.bucket = bucket
        self.directory = directory
        self.result = directory / "attempt" / "result.json"
        self.result.parent.mkdir()
        self.cancelled = threading.Event()

    def uri(self, key: str) -> str:
        """The address of a key."""
        return f"s3://{self.bucket}/{key}"

    def put(self, key: str, body: str | bytes = "") -> str:
        """Write an object; return its address."""
        self.client.put_object(Bucket=self.bucket, Key=key, Body=body.encode() if isinstance(body, str) else body)
        return self.uri(key)

    def objects(self, prefix: str = "") -> dict[str, bytes]:
        """Every object below a prefix, by the rest of its key."""
        listed = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        keys = [entry["Key"] for page in listed for entry in page.get("Contents", [])]
        return {
            key.removeprefix(prefix): self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read() for key in keys
        }

    def run(self, step: str, variables: Mapping[str, str] | None = None, **parameters: Any) -> StepResult:
        """Run a step in this process; nothing of it must be left in the attempt's folder."""
        chosen = load_step(step)
        environment = {**os.environ, "DUCTRUNNER_RESULT": str(self.result), **(variables or {})}
        context = StepContext(Silent(), self.cancelled, environment)
        try:
            return chosen.run(chosen.parameters.model_validate(parameters), context)
        finally:
            assert [path.name for path in self.result.parent.iterdir() if path != self.result] == []

    def start(self, step: str, *words: str, **variables: str) -> subprocess.Popen[str]:
        """Start a step as a command."""
        return subprocess.Popen(
            [sys.executable, "-m", "ductrunner", "step", step, *words],
            env={**os.environ, "DUCTRUNNER_RESULT": str(self.result), **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def command(self, step: str, *words: str, **variables: str) -> tuple[int, str, str]:
        """Run a step as a command to its end; return exit status, stdout and stderr."""
        process = self.start(step, *words, **variables)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    def told(self) -> dict[str, Any]:
        """What the last command has left for the agent."""
        document: dict[str, Any] = json.loads(self.result.read_text())
        return document


@pytest.fixture
def place(s3_client: Any, s3_bucket: str, tmp_path: Path) -> Place:
    """An empty bucket."""
    return Place(s3_client, s3_bucket, tmp_path)
