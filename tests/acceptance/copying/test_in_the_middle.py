"""What is stopped, killed or cut off in the middle leaves nothing; what is run again is there once."""

from __future__ import annotations

import json
import signal
import subprocess
from typing import Any

import pytest

from sandbox.parts.mariadb import MariaDbPart
from tests.acceptance.copying.conftest import Copying, Database
from tests.integration.agent.conftest import eventually

#: 24 MB of rows and then a minute of silence, from a query. (MySQL's first statement of a load is over after 12 MB.)
STUCK = (
    "SELECT i, repeat('x', 2000) || CASE WHEN i = 12000 THEN pg_sleep(60)::text ELSE '' END AS b "
    "FROM generate_series(1, 12000) AS i"
)
WHOLE = "SELECT i, repeat('x', 2000) AS b FROM generate_series(1, 12000) AS i"
SLEEPERS = "SELECT {}(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()"
#: Seconds; InnoDB's list of transactions stands still for whoever asks more often than ten times a second.
LOOK = 0.2
TARGETS = ("mysql", "postgres", "s3")


class Place:
    """A target of one kind, with how to see that a load is under way and what is there."""

    def __init__(self, kind: str, copying: Copying, administrators: dict[str, Any]) -> None:
        self.kind, self.copying, self._administrators = kind, copying, administrators
        if kind == "s3":
            copying.put("out.csv", b"earlier\n")
            self.node = copying.s3_node("out.csv", {"type": "CSV"})
        else:
            self.database: Database = copying.databases[kind]
            self.table = self.database.make("a INT, b TEXT", [(0, "earlier")])
            self.node = self.database.node(self.table)

    def is_loading(self) -> bool:
        if self.kind == "s3":
            return bool(self.copying.open_uploads())
        if self.kind == "mysql":
            return self._administrators["mysql"](
                "SELECT 1 FROM information_schema.innodb_trx WHERE trx_rows_modified > 8000"
            )
        return (
            self.database.run(
                "SELECT 1 FROM pg_stat_progress_copy WHERE command = 'COPY FROM' AND tuples_processed > 8000"
            )
            != []
        )

    def cut_off(self) -> None:
        if self.kind == "mysql":
            [(number,)] = self.database.run(
                "SELECT id FROM information_schema.processlist WHERE info LIKE 'LOAD DATA%'"
            )
            self._administrators["mysql"](f"KILL CONNECTION {number}")
        else:
            self.database.run("SELECT pg_terminate_backend(pid) FROM pg_stat_progress_copy WHERE command = 'COPY FROM'")

    def has_rows(self, count: int) -> bool:
        """Whether the earlier content and this many rows are there (in S3: the rows in its place)."""
        if self.kind == "s3":
            content = self.copying.get("out.csv")
            return content == b"earlier\n" if not count else content.count(b"\n") == count
        return self.database.run(f"SELECT count(*), min(b) FROM {self.table}") == [(count + 1, "earlier")]


@pytest.fixture(params=TARGETS)
def place(request: pytest.FixtureRequest, copying: Copying, mysql_server: MariaDbPart) -> Place:
    def ask(statement: str) -> bool:
        return bool(mysql_server.execute(statement))

    return Place(request.param, copying, {"mysql": ask})


@pytest.fixture(autouse=True)
def no_sleeper_stays(postgres: Database):
    yield
    postgres.run(SLEEPERS.format("pg_terminate_backend"))


def ended(process: subprocess.Popen[str]) -> tuple[int, dict[str, Any], str]:
    out, err = process.communicate(timeout=30)
    return process.returncode, json.loads(out.splitlines()[-1]) if out.strip() else {}, err


def run_whole(copying: Copying, postgres: Database, place: Place) -> None:
    status, told, err = ended(copying.start(postgres.node(selectQuery=WHOLE), place.node))
    assert (status, told["rows"]) == (0, 12000), err
    assert place.has_rows(12000)


def test_sigterm_in_the_middle_undoes_everything_at_once(copying: Copying, postgres: Database, place: Place) -> None:
    process = copying.start(postgres.node(selectQuery=STUCK), place.node)
    eventually(place.is_loading, "the load is under way", patience=20, look=LOOK)
    process.send_signal(signal.SIGTERM)
    status, told, _ = ended(process)

    assert (status, told["errorId"]) == (143, "Interrupted")
    assert place.has_rows(0)
    assert copying.open_uploads() == []
    eventually(lambda: not place.is_loading(), "the server is rid of it", patience=20, look=LOOK)


def test_what_was_killed_left_nothing_and_is_there_once_when_run_again(
    copying: Copying, postgres: Database, place: Place
) -> None:
    process = copying.start(postgres.node(selectQuery=STUCK), place.node)
    eventually(place.is_loading, "the load is under way", patience=20, look=LOOK)
    process.kill()
    process.communicate()

    assert place.has_rows(0)
    run_whole(copying, postgres, place)


@pytest.mark.parametrize("place", ["mysql", "postgres"], indirect=True)
def test_a_server_that_breaks_off_is_told_and_nothing_is_loaded(
    copying: Copying, postgres: Database, place: Place
) -> None:
    process = copying.start(postgres.node(selectQuery=STUCK), place.node)
    eventually(place.is_loading, "the load is under way", patience=20, look=LOOK)
    place.cut_off()
    postgres.run(SLEEPERS.format("pg_cancel_backend"))
    status, told, _ = ended(process)

    assert status == 1
    assert told["errorId"] in ("StoreUnreachable", "StatementFailed")
    assert place.has_rows(0)


def test_a_source_that_breaks_off_in_the_middle_is_told_and_nothing_is_there(
    copying: Copying, postgres: Database, place: Place
) -> None:
    process = copying.start(postgres.node(selectQuery=STUCK), place.node)
    eventually(place.is_loading, "the load is under way", patience=20, look=LOOK)
    postgres.run(SLEEPERS.format("pg_terminate_backend"))
    status, told, _ = ended(process)

    assert (status, told["errorId"]) == (1, "StoreUnreachable")
    assert place.has_rows(0)
    assert copying.open_uploads() == []
