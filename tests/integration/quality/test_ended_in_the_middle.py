"""Checks only read: whatever ends one leaves nothing behind, neither at the servers nor in files."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.agent.conftest import eventually

SLOW = "SELECT id, v + SLEEP(30) AS v FROM t"
#: Each check with a query that does not end by itself.
CHECKS = {
    "compare": ("--source-host", "source", "--source-sql", SLOW, "--target-table", "t", "--keys", "id",
                "--exclude", "at"),
    "count-check": ("--source-host", "source", "--source-count-sql", "SELECT COUNT(*) + SLEEP(30) FROM t",
                    "--destination-table-name", "t"),
    "column-check": ("--source-host", "source", "--source-sql", SLOW, "--destination-sql", "SELECT id, v FROM t",
                     "--keys", "id"),
    "primary-key-check": ("--host-name", "source", "--sql", SLOW, "--keys", "v"),
    "null-rate-check": ("--host-name", "source", "--sql", SLOW, "--columns", "v"),
    "sql-check": ("--host-name", "source", "--sql", "SELECT v + SLEEP(30) FROM t", "--number", "1"),
    "freshness-check": ("--host-name", "source", "--sql", "SELECT at FROM t WHERE SLEEP(30) = 0", "--column", "at",
                        "--max-age", "1 day"),
}  # fmt: skip

#: Where and how the tables are changed so that a check that works fails.
DIFFERENT = ("redshift", "UPDATE t SET v = 2")
FAULTS = {
    "compare": DIFFERENT,
    "column-check": DIFFERENT,
    "count-check": ("redshift", "INSERT INTO t VALUES (2, 2, NULL)"),
    "primary-key-check": ("source", "INSERT INTO t VALUES (2, 1, NULL)"),
    "null-rate-check": ("source", "INSERT INTO t VALUES (2, NULL, NULL)"),
    "sql-check": ("source", "UPDATE t SET v = 2"),
    "freshness-check": ("source", "UPDATE t SET at = '2020-01-01'"),
}


@pytest.fixture(autouse=True)
def tables(hosts: Any) -> None:
    for host in ("source", "redshift"):
        hosts.on(host, f"CREATE TABLE t (id INT, v INT, at {'DATETIME' if host == 'source' else 'TIMESTAMP'})")
    fill(hosts)


def fill(hosts: Any) -> None:
    for host in ("source", "redshift"):
        hosts.on(host, "DELETE FROM t", "INSERT INTO t VALUES (1, 1, CURRENT_TIMESTAMP)")


def sleeping(hosts: Any) -> int:
    with hosts.mysql.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '%SLEEP(30)%' "
                       "AND id <> CONNECTION_ID()")  # fmt: skip
        return int(cursor.fetchone()[0])


def at_the_servers(hosts: Any) -> set[Any]:
    """Return the sessions there, and temporary tables."""
    with hosts.mysql.cursor() as cursor:
        cursor.execute("SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()")
        there = set(cursor.fetchall())
    with hosts.redshift.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
                       "UNION ALL SELECT 0 FROM pg_class WHERE relpersistence = 't' AND relkind = 'r'")  # fmt: skip
        return there | set(cursor.fetchall())


def started(hosts: Any, step: str, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "ductrunner", "step", step, *CHECKS[step], *words]
    return subprocess.Popen(command, env=hosts.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@contextmanager
def running(hosts: Any, step: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    with started(hosts, step, *words) as run:
        eventually(lambda: sleeping(hosts), f"the query of {step}")
        yield run


@pytest.mark.parametrize("step", sorted(CHECKS))
def test_a_check_that_is_asked_to_stop_ends_its_query_too(hosts: Any, step: str) -> None:
    with running(hosts, step) as run:
        run.send_signal(signal.SIGTERM)
        _, said = run.communicate()
    assert run.returncode == 143, said
    eventually(lambda: not sleeping(hosts), "the end of the query")


def test_checks_that_are_killed_leave_nothing_and_say_the_same_when_they_are_run_again(
    hosts: Any, tmp_path: Path
) -> None:
    """All at once: the server finds out after some seconds that nobody waits for its answer."""
    before = at_the_servers(hosts)
    with ExitStack() as stack:
        runs = [stack.enter_context(started(hosts, step, "--report", str(tmp_path / step))) for step in CHECKS]
        eventually(lambda: sleeping(hosts) == len(CHECKS), "the queries of all checks")
        for run in runs:
            run.kill()
    assert list(tmp_path.iterdir()) == []
    for step, words in CHECKS.items():
        report, again = tmp_path / f"{step}.json", [word.replace("SLEEP(30)", "SLEEP(0)") for word in words]
        assert hosts.step(step, *again, "--report", str(report)).code == 0
        assert json.loads(report.read_text())["outcome"] == "passed"
        hosts.on(*FAULTS[step])
        assert hosts.step(step, *again, "--report", str(report)).code == 3
        assert json.loads(report.read_text())["outcome"] == "failed"
        fill(hosts)
    eventually(lambda: at_the_servers(hosts) <= before, "the end of their sessions")


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
