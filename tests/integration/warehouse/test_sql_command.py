from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pymysql
import pytest
import yaml

from core.errors import NotFound, ParameterError, StatementFailed
from sandbox.parts.database import DatabaseAddress

CHECKOUT = Path(__file__).parents[3]


@dataclass
class Host:
    """A server of the configuration, by its name there, and a way to look into it."""

    name: str
    warehouse: Any
    address: DatabaseAddress

    def rows(self, sql: str) -> list[Any]:
        a = self.address
        login = {"host": a.host, "port": a.port, "user": a.username, "password": a.password}
        link: Any = (
            pymysql.connect(**login, database=a.database, autocommit=True)
            if self.name == "source"
            else psycopg2.connect(**login, dbname=a.database)
        )
        with link.cursor() as cursor:
            cursor.execute(sql)
            found = list(cursor.fetchall()) if cursor.description else []
        link.commit()
        link.close()
        return found

    def run(self, command: str, *arguments: str, **more: Any) -> Any:
        given = {"command": command, "script_arguments": arguments, "host_name": self.name}
        return self.warehouse.run("sql-command", **given, **more)


@pytest.fixture(params=["redshift", "postgres", "source"])
def host(request: Any, warehouse: Any, warehouse_database: DatabaseAddress) -> Host:
    if request.param == "redshift":
        address = warehouse_database
    else:
        address = request.getfixturevalue("mysql_database" if request.param == "source" else "postgres_database")
    document = yaml.safe_load(warehouse.config.read_text())
    login = {"host": address.host, "port": address.port, "username": address.username, "password": address.password}
    document["mysql"] = {"source": {**login, "database": address.database}} if request.param == "source" else {}
    if request.param == "postgres":
        document["postgres"] = {**login, "database_name": address.database}
    warehouse.config.write_text(yaml.safe_dump(document))
    found = Host(request.param, warehouse, address)
    found.rows("CREATE TABLE t (id INT, note VARCHAR(40))")
    return found


def test_a_script_is_one_transaction_with_values_bound_as_texts(host: Host) -> None:
    hard = "it's 100% \\ ; -- no"
    script = "DELETE FROM t; INSERT INTO t VALUES (%s, %s); INSERT INTO t SELECT 2, 'a--b;%' FROM t"
    for _ in range(2):
        result = host.run(script, "1", hard)
    assert host.rows("SELECT id, note FROM t ORDER BY id") == [(1, hard), (2, "a--b;%")]
    assert result.details == {"host": host.name, "statements": 3, "one_transaction": True}


def test_a_script_that_fails_leaves_nothing_and_without_the_transaction_what_went_before(host: Host) -> None:
    script = "INSERT INTO t VALUES (1, 'a'); INSERT INTO missing_table VALUES (1)"
    with pytest.raises(NotFound, match=r"statement 2 of 2 \(INSERT\)"):
        host.run(script)
    assert host.rows("SELECT * FROM t") == []
    with pytest.raises(NotFound):
        host.run(script, wrap_transaction=False)
    assert host.rows("SELECT id FROM t") == [(1,)]


def test_named_values_and_a_script_in_s3_or_a_file(warehouse: Any) -> None:
    warehouse.rows("CREATE TABLE t (a VARCHAR(9), b VARCHAR(9))")
    text = "\ufeffINSERT INTO t VALUES (%(day)s, %(day)s); -- the end"
    place = warehouse.put("script.sql", text.encode())
    warehouse.run("sql-command", script=place, named_arguments={"day": "monday"})
    file = warehouse.config.parent / "script.sql"
    file.write_text("INSERT INTO t VALUES ('x', $$y;z$$)")
    warehouse.run("sql-command", script=str(file), queue="etl")
    assert warehouse.rows("SELECT a, b FROM t ORDER BY a") == [("monday", "monday"), ("x", "y;z")]


def test_a_truncate_between_statements_is_refused_before_the_first_and_run_when_each_is_its_own(warehouse: Any) -> None:
    warehouse.rows("CREATE TABLE t (a INT)")
    warehouse.rows("INSERT INTO t VALUES (1)")
    script = "INSERT INTO t VALUES (2); TRUNCATE t; VACUUM t"
    with pytest.raises(ParameterError, match=r"statement 2 \(TRUNCATE T\).*statement 3 \(VACUUM T\)"):
        warehouse.run("sql-command", command=script)
    assert warehouse.rows("SELECT a FROM t") == [(1,)]
    warehouse.run("sql-command", command=script, wrap_transaction=False)
    assert warehouse.rows("SELECT a FROM t") == []


def test_bad_input_is_told_without_running_anything(warehouse: Any) -> None:
    with pytest.raises(ParameterError, match="no server 'nobody' in the configuration; it knows: redshift"):
        warehouse.run("sql-command", command="SELECT 1", host_name="nobody")
    with pytest.raises(ParameterError, match="holds no statement"):
        warehouse.run("sql-command", command=" -- nothing\n;")
    with pytest.raises(NotFound, match=r"nowhere\.sql"):
        warehouse.run("sql-command", script="/nowhere.sql")
    with pytest.raises(StatementFailed, match="statement 1 of 1"):
        warehouse.run("sql-command", command="SELEC 1")


SLEEPS = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(60)%' AND state = 'active'"


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGTERM])
def test_a_command_that_dies_in_the_middle_leaves_nothing_and_can_be_run_again(
    warehouse: Any, blow: signal.Signals
) -> None:
    warehouse.rows("CREATE TABLE t (a INT)")
    words = [sys.executable, "-m", "ductrunner", "step", "sql-command", "--command"]
    command = [*words, "INSERT INTO t VALUES (1); SELECT pg_sleep(60)"]
    with subprocess.Popen(command, env=warehouse.environment, cwd=CHECKOUT, stderr=subprocess.DEVNULL) as process:
        while not warehouse.rows(SLEEPS):
            pass
        process.send_signal(blow)
        assert process.wait() == (143 if blow is signal.SIGTERM else -signal.SIGKILL)
    warehouse.rows("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(60)%'")
    assert warehouse.rows("SELECT a FROM t") == []
    ended = subprocess.run([*words, "INSERT INTO t VALUES (1); SELECT 1"], env=warehouse.environment, cwd=CHECKOUT,
                           capture_output=True, text=True, check=False)  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert warehouse.rows("SELECT a FROM t") == [(1,)]
