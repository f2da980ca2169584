"""A step that dies at any moment leaves the table as it was and nothing else; the next run ends right."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

#: Runs a step that sends itself a signal a moment after a phase has begun: in the middle of the phase's statement.
DYING = """
import os, sys, threading, time
from steps_impl import runner
from steps_impl.progress import ProgressReporter
number, phase, name, *words = sys.argv[1:]
told = ProgressReporter.progress

def progress(self, now, **counts):
    told(self, now, **counts)
    if now == phase:
        threading.Timer(float(os.environ["MOMENT"]), os.kill, (os.getpid(), int(number))).start()
        if now == "analyze":
            time.sleep(5)

ProgressReporter.progress = progress
sys.exit(runner.run(name, words, dict(os.environ)))
"""
ROWS, KEYS = 40_000, 30_000
CASES = [
    ("upsert", "stage", signal.SIGKILL, "0.05"),
    ("upsert", "de-duplicate", signal.SIGKILL, "0.02"),
    ("upsert", "exchange", signal.SIGKILL, "0.03"),
    ("upsert", "check", signal.SIGKILL, "0"),
    ("create-load-redshift", "copy", signal.SIGKILL, "0.02"),
    ("create-load-redshift", "exchange", signal.SIGKILL, "0.02"),
    ("upsert", "stage", signal.SIGTERM, "0.05"),
    ("upsert", "exchange", signal.SIGTERM, "0"),
]


@pytest.fixture(scope="module")
def rows() -> bytes:
    """Some keys come twice, so that each phase has something to do."""
    return b"".join(b"%d\tnew%d\n" % (number % KEYS, number) for number in range(ROWS))


@pytest.mark.parametrize(("step", "phase", "number", "moment"), CASES)
def test_a_step_that_dies_changes_nothing_and_the_next_run_ends_right(
    path: Any, checkout: Path, rows: bytes, step: str, phase: str, number: signal.Signals, moment: str
) -> None:
    name = path.name("dying")
    definition = f"CREATE TABLE {name} (id INT PRIMARY KEY, v VARCHAR(20))"
    path.load(definition, path.put("first/a.tsv", b"0\told\n-1\told\n"))
    place = path.put("second/a.tsv", rows)
    words = [step, "--table-definition", definition, "--input", place, "--no-analyze"]
    ended = subprocess.run(
        [sys.executable, "-c", DYING, str(int(number)), phase, *words],
        env={**path.environment, "MOMENT": moment},
        cwd=checkout,
        capture_output=True,
        timeout=60,
        check=False,
    )
    await_end_of_sessions(path)
    left = path.in_target(f"SELECT id, v FROM {name} ORDER BY id LIMIT 2")
    former = left == [(-1, "old"), (0, "old")]
    if number is signal.SIGTERM:
        assert ended.returncode == (143 if former else 0), ended.stderr
    else:
        assert former or path.in_target(f"SELECT COUNT(DISTINCT id) FROM {name} WHERE v <> 'old'") == [(KEYS,)]
    assert path.staging_tables() == []
    path.run(step, table_definition=definition, input=(place,), analyze=False)
    wanted = (KEYS + 1, KEYS + 1) if step == "upsert" else (ROWS, KEYS)
    assert path.in_target(f"SELECT COUNT(*), COUNT(DISTINCT id) FROM {name}") == [wanted]
    assert path.staging_tables() == []


def await_end_of_sessions(path: Any) -> None:
    """Wait until the warehouse has noticed; a table lock of a dead session would hold everybody up."""
    others = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'ductrunner' AND datname = CURRENT_DATABASE()"
    while path.in_target(others):
        pass
