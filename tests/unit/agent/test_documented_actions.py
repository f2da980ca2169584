"""Operators search for the actions of log lines: each one is in the documentation."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_every_action_is_documented_and_no_other():
    source = "".join(path.read_text() for path in (ROOT / "agent").rglob("*.py"))
    used = set(re.findall(r'log\.(?:event|failure)\(\s*"(\w+)"', source)) | {"task_canceled", "task_started"}
    page = (ROOT / "docs" / "reference" / "log-actions.md").read_text()
    assert set(re.findall(r"^\| `(\w+)`", page, re.MULTILINE)) == used
