"""An incremental extract that is ended in the middle: manifest, files and mark stay, and a rerun reads every row."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pymysql
import pytest
import yaml

from sandbox.parts.database import DatabaseAddress
from sandbox.parts.mariadb import MariaDbPart
from sandbox.parts.postgres import PostgresPart
from tests.integration.extract.readers import records

#: The last row waits as long as the table ``control`` says.
_SQL = {
    "extract-rds": "SELECT id, SLEEP(IF(id >= 3000, (SELECT seconds FROM control), 0)) AS waited FROM t",
    "extract-postgres": "SELECT id, CASE WHEN id > 2999 THEN pg_sleep((SELECT seconds FROM control))::text END FROM t",
}
_WAITING = {
    "extract-rds": "SELECT COUNT(*) FROM information_schema.processlist WHERE state = 'User sleep'",
    "extract-postgres": "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'",
}


@dataclass
class Case:
    """One server with a table of 2,000 rows, and an extract of it that can be made to wait at its end."""

    step: str
    ask: Callable[[str], Any]
    output: Path

    def command(self) -> list[str]:
        where = ["--host-name", "source"] if self.step == "extract-rds" else []
        how = ["--cursor-column", "id", "--files", "3", "--output", str(self.output)]
        return [sys.executable, "-m", "ductrunner", "step", self.step, *where, "--sql", _SQL[self.step], *how]

    def run(self) -> dict[str, Any]:
        done = subprocess.run(self.command(), capture_output=True, check=True)
        return json.loads(done.stdout.splitlines()[-1])

    def end_in_the_middle(self, number: signal.Signals) -> int:
        self.ask("UPDATE control SET seconds = 600")
        process = subprocess.Popen(self.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not self.ask(_WAITING[self.step])[0][0]:
            assert process.poll() is None
        process.send_signal(number)
        code = process.wait(timeout=60)
        self.ask("UPDATE control SET seconds = 0")
        return code

    def visible(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.output.iterdir() if not path.name.startswith(".")}


@pytest.fixture(params=["extract-rds", "extract-postgres"])
def case(
    request: pytest.FixtureRequest,
    mysql_database: DatabaseAddress,
    postgres_database: DatabaseAddress,
    mysql_server: MariaDbPart,
    postgres_server: PostgresPart,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Case]:
    a, b = mysql_database, postgres_database
    login = {"host": a.host, "port": a.port, "username": a.username, "password": a.password, "database": a.database}
    section = {"host": b.host, "port": b.port, "username": b.username, "password": b.password}
    settings = {"mysql": {"source": login}, "postgres": {**section, "database_name": b.database}}
    (tmp_path / "ductrunner.yaml").write_text(yaml.safe_dump(settings))
    monkeypatch.setenv("DUCTRUNNER_CONFIG", str(tmp_path / "ductrunner.yaml"))
    if request.param == "extract-rds":
        connection: Any = pymysql.connect(**a.mysql_login, autocommit=True)
        numbers = "SELECT seq AS id FROM seq_1_to_2000"
    else:
        connection = psycopg2.connect(**b.postgres_login)
        connection.autocommit = True
        numbers = "SELECT n AS id FROM generate_series(1, 2000) AS n"

    def ask(statement: str) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    ask(f"CREATE TABLE t AS {numbers}")
    ask("CREATE TABLE control AS SELECT 0 AS seconds")
    yield Case(request.param, ask, tmp_path / "out")
    connection.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_manifest_files_and_mark_stay_and_a_rerun_reads_every_row(case: Case, number: signal.Signals) -> None:
    assert case.run()["rows"] == 2000
    before = case.visible()
    case.ask("INSERT INTO t VALUES (2500), (3000)")
    code = case.end_in_the_middle(number)
    assert code == (143 if number == signal.SIGTERM else -signal.SIGKILL)
    after = case.visible()
    assert {name: after[name] for name in before} == before
    if number == signal.SIGTERM:
        assert set(after) == set(before)
    assert case.run()["rows"] == 2
    assert sorted(int(row["id"]) for row in records(case.output)) == [2500, 3000]
    assert case.run()["rows"] == 0
