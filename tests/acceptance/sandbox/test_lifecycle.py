"""``ductrunner sandbox up`` and ``down``: all comes up, nothing is left, and a killed sandbox has its data."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil
import psycopg2
import pymysql
import pytest

from stores.secrets import resolve

PARTS = ("datapipeline", "aws", "imds", "mariadb", "postgres", "redshift")


def mysql(box: Any) -> Any:
    server = box.settings.mysql["source"]
    return pymysql.connect(
        host=server.host, port=server.port, user=server.username, password=resolve(server.password),
        database=server.database, autocommit=True,
    )  # fmt: skip


def postgres(box: Any, section: str) -> Any:
    server = getattr(box.settings, section)
    connection = psycopg2.connect(
        host=server.host, port=server.port, user=server.username, password=resolve(server.password),
        dbname=server.database_name,
    )  # fmt: skip
    connection.autocommit = True
    return connection


def write_everywhere(box: Any) -> str:
    """Leave data in each store; return the id of a pipeline."""
    with mysql(box) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS kept (id INT)")
        cursor.execute("INSERT INTO kept VALUES (1)")
    for section in ("postgres", "redshift"):
        connection = postgres(box, section)
        connection.cursor().execute("CREATE TABLE kept (id INT)")
        connection.cursor().execute("INSERT INTO kept VALUES (1)")
        connection.close()
    box.client("s3").put_object(Bucket="ductrunner-sandbox", Key="kept", Body=b"1")
    pipeline: str = box.client("datapipeline").create_pipeline(name="kept", uniqueId="kept")["pipelineId"]
    return pipeline


def assert_everything_is_there(box: Any, pipeline: str) -> None:
    with mysql(box) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM kept")
        assert cursor.fetchall() == ((1,),)
    for section in ("postgres", "redshift"):
        connection = postgres(box, section)
        with connection.cursor() as cursor:
            cursor.execute("SELECT id FROM kept")
            assert cursor.fetchall() == [(1,)]
        connection.close()
    assert box.client("s3").get_object(Bucket="ductrunner-sandbox", Key="kept")["Body"].read() == b"1"
    listed = box.client("datapipeline").list_pipelines()["pipelineIdList"]
    assert pipeline in [entry["id"] for entry in listed]


@pytest.fixture(scope="module")
def filled(expendable: Any) -> tuple[Any, str]:
    """The sandbox, up, with data in each store."""
    expendable.up()
    return expendable, write_everywhere(expendable)


def test_up_brings_up_every_part_on_the_loopback_interface_only(filled: tuple[Any, str]) -> None:
    box, _ = filled
    assert {name: part["state"] for name, part in box.status().items()} == dict.fromkeys(PARTS, "up")
    listening = [
        connection.laddr.ip
        for process in box.processes()
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]
    assert set(listening) == {"127.0.0.1"}


def test_what_up_keeps_is_readable_by_its_owner_only(filled: tuple[Any, str]) -> None:
    box, _ = filled
    assert stat.S_IMODE(box.state_dir.stat().st_mode) == 0o700
    for entry in box.state_dir.iterdir():
        assert stat.S_IMODE(entry.stat().st_mode) == (0o700 if entry.is_dir() else 0o600), entry
    for secret in box.state_dir.rglob("*.password"):
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600


def test_no_password_is_in_a_command_line_or_a_log(filled: tuple[Any, str]) -> None:
    box, _ = filled
    passwords = [file.read_text() for file in box.state_dir.rglob("*.password")]
    assert len(passwords) >= 5
    words = [word for process in box.processes() for word in process.cmdline()]
    logs = [log.read_text(errors="replace") for log in box.state_dir.rglob("*.log")]
    assert not [place for place in [*words, *logs] for password in passwords if password in place]


def test_up_twice_and_two_at_once_change_nothing(filled: tuple[Any, str]) -> None:
    box, pipeline = filled
    before = {process.pid for process in box.processes() if process.ppid() == 1}
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda _: box.run("up"), range(2)))
    assert [one.returncode for one in done] == [0, 0]
    assert {process.pid for process in box.processes() if process.ppid() == 1} == before
    assert_everything_is_there(box, pipeline)


@pytest.mark.parametrize("name", PARTS)
def test_a_killed_part_is_said_to_be_down_and_comes_back_with_its_data(filled: tuple[Any, str], name: str) -> None:
    box, pipeline = filled
    before = box.status()
    kill([psutil.Process(before[name]["pid"])])
    done = box.run("status", "--json")
    states = {part["name"]: part["state"] for part in json.loads(done.stdout)["parts"]}
    assert (done.returncode, states[name]) == (1, "down")
    after = box.up()
    assert after[name]["address"] == before[name]["address"]
    others = set(PARTS) - {name}
    assert {other: after[other]["pid"] for other in others} == {other: before[other]["pid"] for other in others}
    assert_everything_is_there(box, pipeline)


def test_a_sandbox_killed_as_a_whole_comes_back_with_its_data(filled: tuple[Any, str]) -> None:
    box, pipeline = filled
    kill(box.processes())
    assert box.run("status").returncode == 1
    box.up()
    assert_everything_is_there(box, pipeline)


def test_down_leaves_no_process_and_the_data(filled: tuple[Any, str]) -> None:
    box, pipeline = filled
    family = box.processes()
    assert box.run("down").returncode == 0
    assert [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE] == []
    assert box.processes() == []
    assert box.run("down").returncode == 0
    assert box.run("status").returncode == 1
    box.up()
    assert_everything_is_there(box, pipeline)


def test_a_stranger_with_the_recorded_process_id_is_left_alone(filled: tuple[Any, str]) -> None:
    box, _ = filled
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    box.run("down")
    record = box.state_dir / "aws" / "part.json"
    kept = json.loads(record.read_text())
    kept["process"]["pid"] = stranger.pid
    record.write_text(json.dumps(kept))
    assert box.status()["aws"]["state"] == "down"
    box.run("down")
    assert stranger.poll() is None
    assert box.up()["aws"]["pid"] != stranger.pid
    stranger.communicate(b"\n")


def test_an_option_of_the_service_is_kept_until_it_is_changed(filled: tuple[Any, str]) -> None:
    box, _ = filled
    before = box.status()
    manual = box.up("--manual-clock")
    assert manual["datapipeline"]["pid"] != before["datapipeline"]["pid"]
    assert "--clock=manual" in psutil.Process(manual["datapipeline"]["pid"]).cmdline()
    assert box.up()["datapipeline"]["pid"] == manual["datapipeline"]["pid"]
    assert manual["postgres"]["pid"] == before["postgres"]["pid"]
    box.up("--system-clock")


def kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        process.kill()
    while any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes):
        time.sleep(0.01)
