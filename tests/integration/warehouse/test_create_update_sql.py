from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.errors import DefinitionError, NotFound, ParameterError, StatementFailed

CHECKOUT = Path(__file__).parents[3]
TABLE = "CREATE TABLE t (id INT PRIMARY KEY, note VARCHAR(9))"
SCRIPT = "DELETE FROM t; INSERT INTO t VALUES (1, %s), (2, 'b;')"


def test_the_table_is_made_and_filled_and_a_second_run_fills_it_again(warehouse: Any) -> None:
    created = []
    for _ in range(2):
        done = warehouse.run("create-update-sql", table_definition=TABLE, sql=SCRIPT, arguments=["it's"])
        created.append(done.details["created"])
        assert warehouse.rows("SELECT id, note FROM t ORDER BY id") == [(1, "it's"), (2, "b;")]
    assert created == [True, False]
    assert {"statements": 2, "one_transaction": True, "analyze": "done"}.items() <= done.details.items()


def test_a_script_that_fails_leaves_not_even_the_table(warehouse: Any) -> None:
    with pytest.raises(StatementFailed, match="statement 2 of 2"):
        warehouse.run("create-update-sql", table_definition=TABLE, sql="INSERT INTO t VALUES (1); INSERT INTO t x")
    assert warehouse.rows("SELECT tablename FROM pg_tables WHERE tablename = 't'") == []


@pytest.mark.parametrize(
    ("sql", "error", "message"),
    [
        ("INSERT INTO t VALUES (1); TRUNCATE t", ParameterError, r"statement 2 \(TRUNCATE T\).*--non-transactional"),
        ("VACUUM t", ParameterError, r"statement 1 \(VACUUM T\)"),
        (" ; -- nothing", ParameterError, "no statement"),
        ("INSERT INTO t VALUES (%s)", ParameterError, "1 places"),
        ("file:/nowhere.sql", NotFound, "nowhere"),
    ],
)
def test_what_cannot_be_done_in_one_transaction_is_told_before_anything_is_done(
    warehouse: Any, sql: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        warehouse.run("create-update-sql", table_definition=TABLE, sql=sql, arguments=["1", "2"] if "%s" in sql else [])
    with pytest.raises(DefinitionError):
        warehouse.run("create-update-sql", table_definition="CREATE TABLE t (a INT;", sql="SELECT 1")
    assert warehouse.rows("SELECT tablename FROM pg_tables WHERE tablename = 't'") == []


def test_a_script_may_commit_in_between_where_that_is_allowed(warehouse: Any) -> None:
    for allowed in ({"allow_commits": True}, {"non_transactional": True}):
        script = "INSERT INTO t VALUES (1); TRUNCATE t; INSERT INTO t VALUES (2)"
        warehouse.run("create-update-sql", table_definition=TABLE, sql=script, **allowed)
        assert warehouse.rows("SELECT id FROM t") == [(2,)]


SLEEPS = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(61)%' AND state = 'active'"


def test_a_step_that_is_killed_leaves_no_table_and_the_next_one_makes_it(warehouse: Any) -> None:
    words = [sys.executable, "-m", "ductrunner", "step", "create-update-sql", "--table-definition", TABLE, "--sql"]
    script = [*words, "INSERT INTO t VALUES (1); SELECT pg_sleep(61)"]
    with subprocess.Popen(script, env=warehouse.environment, cwd=CHECKOUT, stderr=subprocess.DEVNULL) as process:
        while not warehouse.rows(SLEEPS):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
    warehouse.rows("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(61)%'")
    done = [*words, "INSERT INTO t VALUES (1)"]
    assert subprocess.run(done, env=warehouse.environment, cwd=CHECKOUT, check=False).returncode == 0
    assert warehouse.rows("SELECT id FROM t") == [(1,)]
