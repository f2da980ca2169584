from __future__ import annotations

import gzip
import json
import subprocess
import sys
import threading

import pytest

from core.errors import AccessDenied, NotFound, ParameterError, StoreError, StoreUnreachable, UnsupportedValue
from core.sections.databases import MySqlHost
from steps_impl.contract import StepContext
from steps_impl.extract.extraction import Extraction
from steps_impl.extract.rows import RowStream
from stores.mysql import connect
from stores.mysql.driver import PureDriver


@pytest.fixture
def numbers(source):
    source.execute("CREATE TABLE numbers (id INT PRIMARY KEY, name VARCHAR(20))")
    source.insert("numbers", [(number, f"name {number}") for number in range(1003)])
    return source


def rows_of(path):
    return (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).count(b"\n")


def test_an_empty_table_gives_one_empty_file_and_a_manifest(source):
    source.execute("CREATE TABLE empty (a INT)")
    result = source.extract(table="empty", splits=4)
    (entry,) = source.manifest()["entries"]
    assert (result.rows, result.details["files"]) == (0, 1)
    assert entry["meta"]["record_count"] == 0
    assert source.text() == b""


@pytest.mark.parametrize(("splits", "expected"), [(1, [1003]), (4, [251, 251, 251, 250]), (1003, [1] * 1003)])
def test_files_are_even_in_rows(numbers, splits, expected):
    numbers.extract(table="numbers", splits=splits)
    entries = numbers.manifest()["entries"]
    assert [entry["meta"]["record_count"] for entry in entries] == expected
    assert [rows_of(numbers.output / entry["url"]) for entry in entries] == expected


def test_a_query_is_split_evenly_too(numbers):
    numbers.extract(sql="SELECT id FROM numbers WHERE id < 10 ORDER BY id", splits=3)
    assert [entry["meta"]["record_count"] for entry in numbers.manifest()["entries"]] == [4, 3, 3]


def test_fewer_rows_than_files_give_one_file_a_row(numbers):
    numbers.extract(sql="SELECT id FROM numbers WHERE id < 2", splits=3)
    assert len(numbers.manifest()["entries"]) == 2


def test_the_manifest_says_what_was_written(numbers):
    result = numbers.extract(table="numbers", splits=2)
    document = numbers.manifest()
    sizes = [(numbers.output / entry["url"]).stat().st_size for entry in document["entries"]]
    assert [entry["meta"]["content_length"] for entry in document["entries"]] == sizes
    assert all(entry["mandatory"] is True for entry in document["entries"])
    assert document["meta"] == {"content_length": sum(sizes), "record_count": 1003}
    assert document["schema"]["elements"] == [
        {"name": "id", "type": {"base": "integer"}},
        {"name": "name", "type": {"base": "character varying", "max_length": 80}},
    ]
    assert document["source"]["table"] == "numbers"
    assert document["source"]["database"] == numbers.address.database
    assert (result.rows, result.bytes) == (1003, sum(sizes))


def test_a_second_run_replaces_the_first_ones_files(numbers):
    numbers.extract(table="numbers", splits=3)
    (numbers.output / "part-of-somebody-else").write_text("kept")
    numbers.extract(table="numbers", splits=2)
    named = {entry["url"] for entry in numbers.manifest()["entries"]}
    assert {path.name for path in numbers.output.iterdir()} == {*named, "manifest", "part-of-somebody-else"}


def test_a_failed_run_leaves_the_former_output_as_it_was(numbers):
    numbers.extract(table="numbers", splits=2)
    before = {path.name: path.read_bytes() for path in numbers.output.iterdir()}
    numbers.execute("ALTER TABLE numbers ADD born DATE", "UPDATE numbers SET born = '0000-00-00' WHERE id = 900")
    with pytest.raises(UnsupportedValue, match="row 901"):
        numbers.extract(table="numbers", splits=2)
    assert {path.name: path.read_bytes() for path in numbers.output.iterdir()} == before


def test_rows_that_come_while_it_reads_are_not_seen(numbers, monkeypatch):
    begin = RowStream.copy_to

    def add_first(self, statement, share, tally):
        numbers.execute("INSERT INTO numbers VALUES (5000, 'late')")
        begin(self, statement, share, tally)

    monkeypatch.setattr(RowStream, "copy_to", add_first)
    assert numbers.extract(table="numbers").rows == 1003


def test_fewer_rows_than_counted_is_a_failure(numbers, monkeypatch):
    monkeypatch.setattr(Extraction, "_count", lambda self, condition: 1004)
    with pytest.raises(StoreError, match="1003 rows arrived of 1004 counted"):
        numbers.extract(table="numbers")
    assert not list(numbers.output.iterdir())


class KillAtFirstProgress:
    """Kills the step's connection at the server once the first rows are read."""

    def __init__(self, source, statement):
        self._source, self._statement, self.done = source, statement, False

    def progress(self, phase, *, rows=None, bytes=None):  # noqa: A002
        if phase != "read" or self.done:
            return
        self.done = True
        with self._source.connection.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT%big%' AND id <> CONNECTION_ID()"
            )
            for (number,) in cursor.fetchall():
                cursor.execute(f"{self._statement} {number}")


@pytest.fixture
def big(source):
    source.execute(
        "CREATE TABLE big (id INT PRIMARY KEY AUTO_INCREMENT, a VARCHAR(200))",
        "INSERT INTO big (a) SELECT REPEAT('x', 200) FROM seq_1_to_200000",
    )
    return source


@pytest.mark.parametrize("statement", ["KILL CONNECTION", "KILL QUERY"])
def test_a_connection_killed_in_the_middle_is_a_failure_and_no_short_file(big, statement):
    big.context = StepContext(KillAtFirstProgress(big, statement))
    with pytest.raises(StoreError):
        big.extract(table="big", compression="none")
    assert big.context.reporter.done
    assert not list(big.output.iterdir())


class CancelAtFirstProgress:
    def __init__(self, cancelled):
        self._cancelled = cancelled

    def progress(self, phase, *, rows=None, bytes=None):  # noqa: A002
        if phase == "read":
            self._cancelled.set()


def test_a_cancelled_extract_leaves_nothing_behind(big):
    cancelled = threading.Event()
    big.context = StepContext(CancelAtFirstProgress(cancelled), cancelled)
    with pytest.raises((InterruptedError, StoreError)):
        big.extract(table="big")
    assert not list(big.output.iterdir())


def test_sigterm_ends_a_query_that_the_server_is_still_thinking_about(source, tmp_path):
    arguments = ["--host-name", "source", "--sql", "SELECT SLEEP(300) AS a", "--output", str(source.output)]
    process = subprocess.Popen(
        [sys.executable, "-m", "ductrunner", "step", "extract-rds", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with source.connection.cursor() as cursor:
        while not cursor.execute("SELECT id FROM information_schema.processlist WHERE state = 'User sleep'"):
            assert process.poll() is None
    process.terminate()
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 143
    assert b"ductrunner: Interrupted: " in errors
    assert json.loads(output.splitlines()[-1])["errorId"] == "Interrupted"
    assert not list(source.output.iterdir())


def test_a_refused_password_is_told_without_it_and_never_tried_again(source):
    host = MySqlHost(
        host=source.address.host, port=source.address.port, username=source.address.username, password="wrong-secret-1"
    )
    with pytest.raises(AccessDenied, match=source.address.username) as caught:
        connect(host, retries=5)
    assert "wrong-secret-1" not in str(caught.value)


def test_a_server_that_is_not_there_is_unreachable(source):
    host = MySqlHost(host="127.0.0.1", port=1, username="u", password="p")
    with pytest.raises(StoreUnreachable, match=r"127\.0\.0\.1:1 "):
        connect(host, retries=0)


def test_a_missing_database_is_named(source):
    with pytest.raises((NotFound, AccessDenied), match="nowhere"):
        source.extract(table="t", database="nowhere")


def test_an_unknown_host_names_the_nearest(source):
    with pytest.raises(ParameterError, match="did you mean 'source'"):
        source.extract(host_name="sorce", table="t")


def test_the_staging_directory_is_the_default_output(numbers, tmp_path):
    staged = tmp_path / "staged"
    numbers.context = StepContext(numbers.context.reporter, environment={"OUTPUT1_STAGING_DIR": str(staged)})
    numbers.extract(table="numbers", output=None)
    assert (staged / "manifest").exists()


def test_both_drivers_read_the_same(source, monkeypatch):
    source.execute(
        "CREATE TABLE t (id BIGINT UNSIGNED, a VARCHAR(9), b BLOB, f FLOAT, d DATETIME(3), j JSON, c BIT(9),"
        " u VARCHAR(9) COLLATE utf8mb4_bin)"
    )
    source.insert(
        "t", [(2**64 - 1, "é\t", b"\0\xff", 16777215, "2024-01-01 00:00:00.123", "[1]", b"\x01\x01", "U"), (None,) * 8]
    )
    # In a process of its own: the C extension and other libraries of this one bring an OpenSSL each.
    loaded = "from stores.mysql.driver import _compiled_library; assert _compiled_library()"
    subprocess.run([sys.executable, "-c", loaded], check=True)
    flags = ["--host-name", "source", "--table", "t", "--compression", "none", "--output", str(source.output)]
    subprocess.run([sys.executable, "-m", "ductrunner", "step", "extract-rds", *flags], check=True, capture_output=True)
    fast, elements = source.text(), source.manifest()["schema"]
    monkeypatch.setattr("stores.mysql.connection.open_driver", PureDriver)
    source.extract(table="t", compression="none")
    assert (source.text(), source.manifest()["schema"]) == (fast, elements)


def test_the_pure_driver_tells_a_broken_connection(big, monkeypatch):
    monkeypatch.setattr("stores.mysql.connection.open_driver", PureDriver)
    big.context = StepContext(KillAtFirstProgress(big, "KILL CONNECTION"))
    with pytest.raises(StoreError):
        big.extract(table="big")
    assert not list(big.output.iterdir())


def test_the_password_is_in_no_argument_and_no_output(numbers):
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "ductrunner",
            "step",
            "extract-rds",
            "--host-name",
            "source",
            "--table",
            "numbers",
            "--output",
            str(numbers.output),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert numbers.address.password not in done.stdout + done.stderr + (numbers.output / "manifest").read_text()
    assert json.loads(done.stdout)["rows"] == 1003
