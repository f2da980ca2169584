"""The step as a process: killed, stopped, and watched from outside."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[3]
TABLE = "CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, note VARCHAR(20))"
COLUMNS = ("id", "note")


def command(warehouse: Any, manifest: str) -> list[str]:
    parameters = {"table_definition": TABLE, "input": [manifest]}
    path = warehouse.config.parent / "parameters.json"
    path.write_text(json.dumps(parameters))
    return [sys.executable, "-m", "ductrunner", "step", "upsert", "--params", str(path)]


@contextmanager
def started(warehouse: Any, manifest: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command(warehouse, manifest),
        env=warehouse.environment,
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_until(warehouse: Any, sql: str, condition: Callable[[Any], bool]) -> None:
    """Ask until the answer is right; the test's own time-out ends a wait in vain."""
    while not condition(warehouse.rows(sql)):
        pass


WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


def test_an_upsert_that_is_killed_leaves_the_table_and_the_next_one_finishes(warehouse: Any) -> None:
    warehouse.run("upsert", table_definition=TABLE, input=[warehouse.put_extract("one", COLUMNS, [["1", "old"]])])
    manifest = warehouse.put_extract("two", COLUMNS, [["1", "new"], ["2", "new"]])
    holder = warehouse.connect()
    with holder.cursor() as cursor:
        cursor.execute("SELECT * FROM t")  # a reader in an open transaction: the LOCK of the upsert has to wait
        with started(warehouse, manifest) as process:
            wait_until(warehouse, WAITING, bool)
            process.send_signal(signal.SIGKILL)
            process.wait()
    holder.rollback()
    holder.close()
    wait_until(warehouse, WAITING, lambda rows: not rows)
    assert warehouse.rows("SELECT id, note FROM t") == [(1, "old")]
    with started(warehouse, manifest) as process:
        output, _ = process.communicate()
        assert process.returncode == 0
    assert json.loads(output)["details"]["inserted"] == 2
    assert warehouse.rows("SELECT id, note FROM t ORDER BY id") == [(1, "new"), (2, "new")]
    assert warehouse.staging_tables() == []


def test_an_upsert_that_is_stopped_ends_while_the_warehouse_works(warehouse: Any) -> None:
    warehouse.run("upsert", table_definition=TABLE, input=[warehouse.put_extract("one", COLUMNS, [["1", "old"]])])
    holder = warehouse.connect()
    with holder.cursor() as cursor:
        cursor.execute("SELECT * FROM t")
        with started(warehouse, warehouse.put_extract("two", COLUMNS, [["1", "new"]])) as process:
            wait_until(warehouse, WAITING, bool)
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 143
        wait_until(warehouse, WAITING, lambda rows: not rows)
    holder.rollback()
    holder.close()
    assert warehouse.rows("SELECT note FROM t") == [("old",)]


def test_a_wrong_parameter_is_named_by_its_flag(warehouse: Any) -> None:
    words = [sys.executable, "-m", "ductrunner", "step", "upsert", "--table-definition", TABLE, "--input", "s3://b/x"]
    words += ["--source-table", "y"]
    ended = subprocess.run(words, env=warehouse.environment, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "exactly one of --input, --source-table, --source-sql and --source-script" in ended.stderr
