"""A step that dies in any phase leaves table and history as they were; the next run ends right."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).parents[3]
#: Runs a step that sends itself a signal a moment after a phase has begun, in the middle of its statement. However
#: quick that is, the signal comes before the commit.
DYING = """
import os, signal, sys, threading
from steps_impl import runner
from steps_impl.progress import ProgressReporter
from stores.redshift import Session
number, phase, name, *words = sys.argv[1:]
told, run, begun = ProgressReporter.progress, Session._run, threading.Event()

def progress(self, now, **counts):
    told(self, now, **counts)
    if now == phase:
        begun.set()
        threading.Timer(0.01, os.kill, (os.getpid(), int(number))).start()

def waiting(self, statement, **options):
    if begun.is_set() and statement.text == "COMMIT":
        threading.Event().wait()
    answer = run(self, statement, **options)
    if begun.is_set() and int(number) == signal.SIGTERM and statement.text != "ROLLBACK":
        self._cancelled.wait()
    return answer

ProgressReporter.progress, Session._run = progress, waiting
sys.exit(runner.run(name, words, dict(os.environ)))
"""
TABLE = "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, note VARCHAR(20), d DATE)"
HISTORY = "CREATE TABLE t_h (effective_ts TIMESTAMP, expiration_ts TIMESTAMP, id INT, note VARCHAR(20), d DATE)"
ROWS = 5000
SOURCE = ["--source-table", "raw", "--history", HISTORY, "--no-analyze"]
#: Stands for the manifest of the same rows in files.
MANIFEST = "manifest"
FILES = ["--input", MANIFEST, "--history", HISTORY, "--no-analyze"]
#: Step, its words, the phase in which it dies, and how many rows there are once it has run.
CASES = [
    (["upsert", "--mode", "merge", *SOURCE], "exchange", signal.SIGKILL, ROWS + 1),
    (["upsert", "--mode", "append", *SOURCE], "check", signal.SIGKILL, ROWS + 1),
    (["upsert", "--stage-before-lock", *SOURCE], "de-duplicate", signal.SIGKILL, ROWS + 1),
    (["upsert", "--stage-before-lock", *SOURCE], "exchange", signal.SIGTERM, ROWS + 1),
    (["reload", *SOURCE], "exchange", signal.SIGKILL, ROWS),
    (["reload", *SOURCE], "history", signal.SIGKILL, ROWS),
    (["reload", *FILES], "de-duplicate", signal.SIGKILL, ROWS),
    (["delta-load", "--date-column", "d", *SOURCE], "stage", signal.SIGKILL, ROWS + 1),
    (["history", "--history", HISTORY, "--no-analyze"], "history", signal.SIGKILL, 2),
]


def state(warehouse: Any) -> list[tuple[Any, ...]]:
    table = "SELECT COUNT(*), SUM(id), MIN(note), MAX(note) FROM t"
    return warehouse.rows(f"{table} UNION ALL {table.replace('FROM t', 'FROM t_h')}")


@pytest.mark.parametrize(("words", "phase", "number", "rows"), CASES)
def test_a_step_that_dies_changes_nothing_and_the_next_run_ends_right(
    warehouse: Any, words: list[str], phase: str, number: signal.Signals, rows: int
) -> None:
    warehouse.rows(f"{TABLE}; {HISTORY}; CREATE TABLE raw (id INT, note VARCHAR(20), d DATE)")
    warehouse.rows("INSERT INTO t VALUES (-1, 'old', '2026-01-01'), (1, 'old', '2026-01-01')")
    warehouse.rows(f"INSERT INTO raw SELECT n, 'new', '2026-01-02'::DATE FROM generate_series(1, {ROWS}) AS n")
    warehouse.rows("INSERT INTO raw SELECT id, 'a loser', d FROM raw WHERE id < 100")
    former = state(warehouse)
    arguments = [words[0], "--table-definition", TABLE, *words[1:]]
    if MANIFEST in words:
        raw = warehouse.rows("SELECT id::text, note, d::text FROM raw")
        arguments[arguments.index(MANIFEST)] = warehouse.put_extract("raw", ("id", "note", "d"), raw)
    ended = run([sys.executable, "-c", DYING, str(int(number)), phase, *arguments], warehouse)
    assert ended.returncode == (143 if number is signal.SIGTERM else -number), ended.stderr
    await_end_of_sessions(warehouse)
    assert state(warehouse) == former
    assert warehouse.staging_tables() == []
    assert run([sys.executable, "-m", "ductrunner", "step", *arguments], warehouse).returncode == 0
    assert warehouse.rows("SELECT COUNT(*), COUNT(DISTINCT id) FROM t") == [(rows, rows)]
    assert warehouse.rows("SELECT COUNT(*), COUNT(DISTINCT id) FROM t_h") == [(rows, rows)]
    assert warehouse.staging_tables() == []


def run(command: list[str], warehouse: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env=warehouse.environment, cwd=CHECKOUT, capture_output=True, text=True, timeout=120, check=False
    )


def await_end_of_sessions(warehouse: Any) -> None:
    """Wait until the warehouse has noticed; a table lock of a dead session would hold everybody up."""
    others = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'ductrunner' AND datname = CURRENT_DATABASE()"
    while warehouse.rows(others):
        pass
