"""``ductrunner sql-shell``: clients without a password in their arguments, answers without a client."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import yaml

from core.errors import ParameterError
from sandbox.parts.database import DatabaseAddress
from steps_impl.sql_shell.answers import WRITERS
from steps_impl.sql_shell.clients import password_line
from stores.logins import Access
from tests.conftest import run_ductrunner
from tests.integration.agent.conftest import eventually

ODD = "SELECT 1 AS n, NULL AS nothing, '' AS blank, CONCAT('a', {tab}, 'b', {back}, 'N') AS odd"


@pytest.fixture
def configuration(
    redshift_database: DatabaseAddress, postgres_database: DatabaseAddress, mysql_database: DatabaseAddress,
    tmp_path: Path,
) -> Path:  # fmt: skip
    """A configuration with one database of each kind."""
    path = tmp_path / "ductrunner.yaml"
    path.write_text(
        yaml.safe_dump({
            "redshift": login(redshift_database, "database_name"),
            "postgres": login(postgres_database, "database_name"),
            "mysql": {"learning": login(mysql_database, "database")},
        })
    )  # fmt: skip
    return path


def login(address: DatabaseAddress, database: str) -> dict[str, object]:
    return {
        "host": address.host,
        "port": address.port,
        "username": address.username,
        "password": address.password,
        database: address.database,
    }


KINDS = [["redshift"], ["postgres"], ["mysql", "learning"]]


@pytest.mark.parametrize("words", KINDS, ids=lambda words: words[0])
def test_one_query_is_answered_without_a_client(configuration: Path, words: list[str]) -> None:
    place = {"DUCTRUNNER_CONFIG": str(configuration), "PATH": "/nowhere"}
    query = ODD.format(tab="CHAR(9)", back="CHAR(92)") if words[0] == "mysql" else (
        "SELECT 1 AS n, NULL AS nothing, '' AS blank, 'a' || CHR(9) || 'b' || CHR(92) || 'N' AS odd;"
    )  # fmt: skip
    answers = {
        form: run_ductrunner("sql-shell", *words, "--query", query, "--format", form, environment=place)
        for form in ("tsv", "csv", "json")
    }
    assert answers["tsv"].stdout == "n\tnothing\tblank\todd\n1\t\\N\t\ta\\tb\\\\N\n", answers["tsv"].stderr
    assert answers["csv"].stdout == 'n,nothing,blank,odd\n1,,"",a\tb\\N\n'
    told = json.loads(answers["json"].stdout)
    assert (str(told["n"]), told["nothing"], told["blank"], told["odd"]) == ("1", None, "", "a\tb\\N")
    changed = run_ductrunner("sql-shell", *words, "--query", "CREATE TABLE made (id INT)", environment=place)
    assert changed.returncode == 1, changed.stdout
    wrong = run_ductrunner("sql-shell", *words, "--query", "SELECT * FROM no_such_table", environment=place)
    assert (wrong.returncode, "no_such_table" in wrong.stderr) == (1, True)


def test_bytes_arrays_and_truth_are_printed_as_the_databases_write_them() -> None:
    row = [memoryview(b"\xff\x00"), [1, None], {"a": [True, "é"]}, True, math.nan, b""]
    printed = {form: io.StringIO() for form in ("tsv", "csv", "json")}
    for form, target in printed.items():
        WRITERS[form](list("abcdef"), [row], target)
    texts = [r"\xff00", "[1, null]", '{"a": [true, "é"]}', "true", "nan", r"\x"]
    assert printed["tsv"].getvalue().splitlines()[1].replace("\\\\", "\\").split("\t") == texts
    assert next(csv.reader(printed["csv"].getvalue().splitlines()[1:])) == texts
    told = json.loads(printed["json"].getvalue())
    assert list(told.values()) == [texts[0], [1, None], {"a": [True, "é"]}, True, "nan", texts[5]]


@pytest.mark.parametrize("words", KINDS, ids=lambda words: words[0])
def test_the_client_is_entered_with_a_file_of_ours_that_goes(
    configuration: Path, words: list[str], tmp_path: Path
) -> None:
    for name in ("psql", "mysql"):
        client = tmp_path / "bin" / name
        client.parent.mkdir(exist_ok=True)
        client.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/words; echo "$PGPASSFILE" > {tmp_path}/file\n'
                          f'touch {tmp_path}/begun; exec sleep 1000\n')  # fmt: skip
        client.chmod(0o755)
    environment = {**os.environ, "DUCTRUNNER_CONFIG": str(configuration), "TMPDIR": str(tmp_path)}
    environment["PATH"] = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    command = [sys.executable, "-m", "ductrunner", "sql-shell", *words]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as shell:
        eventually((tmp_path / "begun").exists, "the client")
        [file] = tmp_path.glob("sql-shell-*/login")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        settings = yaml.safe_load(configuration.read_text())
        known = settings["mysql"]["learning"] if words[0] == "mysql" else settings[words[0]]
        assert known["password"] in file.read_text()
        told = (tmp_path / "words").read_text()
        assert known["password"] not in told
        assert str(file) in told + (tmp_path / "file").read_text()
        [client] = psutil.Process(shell.pid).children()
        shell.send_signal(signal.SIGTERM)
        assert shell.wait(60) == 128 + signal.SIGTERM
    assert not client.is_running()
    assert not list(tmp_path.glob("sql-shell-*"))


@pytest.mark.parametrize("words", KINDS, ids=lambda words: words[0])
def test_the_real_client_gets_in(configuration: Path, words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ductrunner", "sql-shell", *words],
        env={**os.environ, "DUCTRUNNER_CONFIG": str(configuration)},
        input="SELECT 40 + 2;\n", capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    if "ProgramMissing" in done.stderr:
        pytest.skip(done.stderr)
    assert (done.returncode, "42" in done.stdout) == (0, True), done.stderr


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["mysql"], 2, "mysql ALIAS"),
        (["redshift", "x"], 2, "mysql ALIAS"),
        (["oracle"], 2, "'oracle' is not one of"),
        (["mysql", "nowhere"], 2, "no mysql host 'nowhere'; it has: learning"),
        (["redshift", "--query", " ; -- nothing"], 2, "holds no query"),
        (["redshift"], 1, "psql is not installed here"),
    ],
)
def test_what_cannot_be_opened_is_named(configuration: Path, words: list[str], status: int, said: str) -> None:
    done = run_ductrunner(
        "sql-shell", *words, environment={"DUCTRUNNER_CONFIG": str(configuration), "PATH": "/nowhere"}
    )
    assert (done.returncode, said in done.stderr) == (status, True), done.stderr


def test_a_password_file_keeps_odd_passwords_and_refuses_what_it_cannot_hold() -> None:
    assert password_line(Access("h", 1, "d", "u", r"a:b\c")) == "h:1:*:u:a\\:b\\\\c\n"
    with pytest.raises(ParameterError, match="line end"):
        password_line(Access("h", 1, "d", "u", "a\nb"))
