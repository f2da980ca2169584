"""Checks only read: whatever ends one leaves nothing behind, neither at the servers nor in files."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.agent.conftest import eventually

SLOW = "SELECT id, v + SLEEP(30) AS v FROM t"
#: Each check with a query that does not end by itself.
CHECKS = {
    "compare": ("--source-host", "source", "--source-sql", SLOW, "--target-table", "t", "--keys", "id",
                "--exclude", "at"),
    "count-check": ("--source-host", "source", "--source-count-sql", "SELECT SLEEP(30)",
                    "--destination-table-name", "t"),
    "null-rate-check": ("--host-name", "source", "--sql", SLOW, "--columns", "v"),
    "sql-check": ("--host-name", "source", "--sql", "SELECT SLEEP(30)", "--number", "0"),
    "freshness-check": ("--host-name", "source", "--sql", "SELECT at FROM t WHERE SLEEP(30) = 0", "--column", "at",
                        "--max-age", "1 day"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def tables(hosts: Any) -> None:
    for host in ("source", "redshift"):
        hosts.on(host, f"CREATE TABLE t (id INT, v INT, at {'DATETIME' if host == 'source' else 'TIMESTAMP'})",
                 "INSERT INTO t VALUES (1, 1, CURRENT_TIMESTAMP)")  # fmt: skip


def sleeping(hosts: Any) -> int:
    with hosts.mysql.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '%SLEEP(30)%' "
                       "AND id <> CONNECTION_ID()")  # fmt: skip
        return int(cursor.fetchone()[0])


@contextmanager
def running(hosts: Any, step: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "ductrunner", "step", step, *CHECKS[step], *words]
    with subprocess.Popen(
        command, env=hosts.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        eventually(lambda: sleeping(hosts), f"the query of {step}")
        yield run


@pytest.mark.parametrize("step", sorted(CHECKS))
def test_a_check_that_is_asked_to_stop_ends_its_query_too(hosts: Any, step: str) -> None:
    with running(hosts, step) as run:
        run.send_signal(signal.SIGTERM)
        _, said = run.communicate()
    assert run.returncode == 143, said
    eventually(lambda: not sleeping(hosts), "the end of the query")


def test_a_comparison_that_is_killed_leaves_no_list_of_keys_and_can_be_run_again(hosts: Any, tmp_path: Path) -> None:
    place = tmp_path / "keys"
    with running(hosts, "compare", "--keys-to", str(place)) as run:
        run.kill()
    assert list(tmp_path.iterdir()) == []
    hosts.on("redshift", "UPDATE t SET v = 2")
    again = (
        "--source-host",
        "source",
        "--source-table",
        "t",
        "--keys",
        "id",
        "--columns",
        "v",
        "--keys-to",
        str(place),
    )
    first, second = hosts.step("compare", *again), hosts.step("compare", *again)
    assert (first.code, second.code, place.read_text()) == (3, 3, "different\t1\n")
