"""What ``ductrunner sandbox env`` prints is all that a client needs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

SCRIPT = """
set -eu
eval "$("$PYTHON" -m ductrunner sandbox env --state-dir "$STATE")"
echo "profile:${AWS_PROFILE-none}"
aws s3 ls
aws datapipeline list-pipelines --query 'pipelineIdList'
aws sts get-caller-identity --query Account --output text
"$PYTHON" -c 'import boto3; print(boto3.client("datapipeline").list_pipelines()["hasMoreResults"])'
"""


def test_a_shell_that_evaluates_env_reaches_the_sandbox_with_no_other_flag(sandbox: Any) -> None:
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    programs = f"{Path(sys.executable).parent}:{own['PATH']}"
    given = {"PYTHON": sys.executable, "STATE": str(sandbox.state_dir), "PATH": programs, "AWS_PROFILE": "of-somebody"}
    done = subprocess.run(["sh", "-c", SCRIPT], env={**own, **given}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "profile:none"
    assert "ductrunner-sandbox" in lines[1]
    assert lines[-2:] == ["123456789012", "False"]


def test_lines_survive_a_state_directory_with_spaces_and_quotes(tmp_path: Path) -> None:
    from sandbox.environment import shell_lines

    value = "/home/o'brien/my state/$HOME"
    lines = "\n".join(shell_lines({"DUCTRUNNER_CONFIG": value}, environment={}))
    done = subprocess.run(
        ["sh", "-c", f'{lines}\nprintf %s "$DUCTRUNNER_CONFIG"'], capture_output=True, text=True, check=True
    )
    assert done.stdout == value
