"""The demo's search for passwords finds one where it stands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

WORD = "s3cret-of-this-test"


@pytest.fixture
def passwords(example: SimpleNamespace, tmp_path: Path, s3_bucket: str) -> Any:
    for folder in ("sandbox/mariadb", "agent"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "sandbox/mariadb/source.password").write_text(WORD)
    return example.secrets_found.Passwords(tmp_path, s3_bucket)


def test_a_password_in_a_log_of_the_agent_is_found(passwords: Any, tmp_path: Path) -> None:
    assert passwords.kept() == []
    (tmp_path / "agent/agent.log").write_text(f"connecting with {WORD}\n")
    assert passwords.kept() == [str(tmp_path / "agent/agent.log")]


def test_a_password_in_an_object_is_found(passwords: Any, s3_client: Any, s3_bucket: str) -> None:
    s3_client.put_object(Bucket=s3_bucket, Key="logs/StdError", Body=f"password={WORD}".encode())
    assert passwords.kept() == [f"s3://{s3_bucket}/logs/StdError"]


def test_a_password_on_a_command_line_is_found(passwords: Any) -> None:
    own = psutil.Process().pid
    child = subprocess.Popen([sys.executable, "-c", "input()", f"--password={WORD}"], stdin=subprocess.PIPE)
    try:
        assert passwords.on_command_lines(own) == [f"the command line of process {child.pid}"]
    finally:
        child.communicate()
    assert passwords.on_command_lines(own) == []
