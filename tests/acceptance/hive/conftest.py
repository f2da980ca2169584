"""Steps as the worker runs them, on the real Hive of this machine, DynamoDB and S3."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.dynamodb.conftest import listed, stored, tables  # noqa: F401  # fixtures

Done = subprocess.CompletedProcess[str]


@pytest.fixture
def step(aws_environment: str, ductrunner: Callable[..., Done], tmp_path: Path) -> Callable[[dict[str, Any]], Done]:
    """Run ``ductrunner step hive-activity`` or ``hive-copy-activity`` on an activity's document."""
    import os

    def run(document: dict[str, Any]) -> Done:
        path = tmp_path / "parameters.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        name = {"HiveActivity": "hive-activity", "HiveCopyActivity": "hive-copy-activity"}[document["type"]]
        return ductrunner("step", name, "--params", str(path), environment=dict(os.environ))

    return run
