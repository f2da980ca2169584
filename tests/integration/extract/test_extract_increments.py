"""Incremental extracts: no row lost, none doubled, whatever comes late and whatever dies."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.errors import ParameterError, RecordMalformed, SchemaMismatch, StoreError, UnsupportedValue
from steps_impl.contract import StepContext
from steps_impl.extract import extraction, mark, mark_lock
from tests.integration.extract.readers import manifest, records
from tests.integration.extract.test_extract_formats import from_postgres, postgres_source  # noqa: F401
from tests.phases import Silent


class Table:
    """One table on one of the two servers, and incremental extracts of it."""

    def __init__(self, execute: Callable[[str], Any], extract: Callable[..., Any], output: Path, name: str) -> None:
        self.execute, self._extract, self.output, self._name = execute, extract, output, name

    def create(self, cursor: str = "INT") -> None:
        self.execute(f"CREATE TABLE events (id INT PRIMARY KEY, c {cursor} NULL, note VARCHAR(20))")

    def add(self, *rows: tuple[int, Any]) -> None:
        for key, value in rows:
            literal = "NULL" if value is None else "'" + str(value).replace("'", "''") + "'"
            self.execute(f"INSERT INTO events VALUES ({key}, {literal}, 'note {key}')")

    def extract(self, **parameters: Any) -> Any:
        return self._extract(**{"table": self._name, "cursor_column": "c", **parameters})

    def take(self, **parameters: Any) -> list[int]:
        """Run an increment; return the ids that it read."""
        self.extract(**parameters)
        return self.ids()

    def ids(self) -> list[int]:
        return sorted(int(row["id"]) for row in records(self.output))


@pytest.fixture(params=["mysql", "postgres"])
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Table:
    output = tmp_path / "out"
    if request.param == "mysql":
        source = request.getfixturevalue("source")
        return Table(source.execute, source.extract, output, "events")
    cursor = request.getfixturevalue("postgres_source")

    def extract(**parameters: Any) -> Any:
        return from_postgres(output, **parameters)

    return Table(cursor.execute, extract, output, "own.events")


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("INT", ["-5", "7", "7", "8", "8"]),
        ("BIGINT", ["1", "9007199254740993", "9007199254740993", "9007199254740994", "9223372036854775807"]),
        ("DECIMAL(38,10)", ["0.0000000001", "1234567890123456789012345678.5"] + ["1234567890123456789012345678.6"] * 3),
        ("DATE", ["2024-02-28", "2024-02-29", "2024-02-29", "2024-03-01", "9999-12-31"]),
        ("TIMESTAMP(6)", ["2024-01-01 00:00:00", "2024-01-01 00:00:00.000001", "2024-01-01 00:00:00.000001",
                          "2024-01-01 00:00:00.5", "2024-01-01 00:00:00.5"]),
        ("VARCHAR(20)", ["a", "a'b", "a'b", "é", "é"]),
    ],
)  # fmt: skip
def test_only_what_is_new_is_read_and_ties_at_the_mark_are_read_once(table, kind, values):
    table.create(kind)
    one, two, tie, three, four = values
    table.add((1, one), (2, two))
    assert table.take() == [1, 2]
    assert table.take() == []
    table.add((3, tie))
    assert table.take() == [3]
    table.add((4, three), (5, four))
    assert table.take() == [4, 5]
    assert table.take() == []


def test_the_cursor_is_found_in_another_case(table):
    table.create()
    table.add((1, 5))
    assert table.take(cursor_column="C") == [1]
    assert table.take() == []


def test_uuids_have_an_order_too(postgres_source, tmp_path):  # noqa: F811
    postgres_source.execute("CREATE TABLE events (c uuid); INSERT INTO events VALUES (uuidv7()), (uuidv7())")

    def take() -> int:
        return int(from_postgres(tmp_path / "out", table="own.events", cursor_column="c").rows)

    assert (take(), take()) == (2, 0)
    postgres_source.execute("INSERT INTO events VALUES (uuidv7())")
    assert (take(), take()) == (1, 0)


def test_equal_rows_without_a_key_are_counted_not_confused(table):
    table.execute("CREATE TABLE events (id INT, c INT, note VARCHAR(20))")
    table.add((1, 5), (1, 5), (2, 5))
    assert table.take() == [1, 1, 2]
    table.add((1, 5), (1, 5), (2, 5), (3, 5))
    assert table.take() == [1, 1, 2, 3]
    assert table.take() == []


def test_a_row_changed_at_the_mark_is_read_again(table):
    table.create()
    table.add((1, 5), (2, 5))
    table.take()
    table.execute("UPDATE events SET note = 'other' WHERE id = 2")
    assert table.take() == [2]


def test_late_rows_within_the_look_back_are_read_once_and_no_others(table):
    table.create("TIMESTAMP")
    table.add((1, "2024-01-01 10:00:00"), (2, "2024-01-01 12:00:00"))
    look = {"look_back": "90 minutes"}
    assert table.take(**look) == [1, 2]
    table.add((3, "2024-01-01 11:00:00"), (4, "2024-01-01 10:29:59"), (5, "2024-01-01 12:00:01"))
    assert table.take(**look) == [3, 5]
    assert table.take(**look) == []


def test_a_look_back_that_grows_reads_the_rows_that_nobody_remembers(table):
    table.create()
    table.add((1, 10), (2, 20), (3, 30))
    table.take()
    table.add((4, 15))
    assert table.take(look_back="15") == [2, 4]


def test_a_window_with_too_many_rows_is_read_again_only_when_it_has_changed(table, monkeypatch):
    monkeypatch.setattr(mark, "MOST_DIGESTS", 2)
    table.create()
    table.add((1, 5), (2, 5), (3, 5))
    assert table.take() == [1, 2, 3]
    assert table.take() == []
    table.add((4, 5), (5, 6))
    assert table.take() == [1, 2, 3, 4, 5]


def test_rows_without_a_cursor_by_policy(table):
    table.create()
    table.add((1, 1), (2, None))
    with pytest.raises(UnsupportedValue, match="1 rows have no value in c"):
        table.take()
    assert table.take(null_cursors="skip") == [1]
    assert table.take(null_cursors="always") == [2]
    assert table.extract(null_cursors="skip").details["rows_without_cursor"] == 1


def test_an_empty_table_sets_no_mark_and_loses_nothing(table):
    table.create()
    assert table.take() == []
    table.add((1, -7))
    assert table.take() == [1]


def test_the_same_run_reads_the_same_rows_again_and_the_next_goes_on(table):
    table.create()
    table.add((1, 1))
    assert table.take(run_key="monday") == [1]
    table.add((2, 2), (3, 2))
    assert table.take(run_key="tuesday") == [2, 3]
    table.add((4, 3))
    assert table.take(run_key="tuesday") == [2, 3]
    assert table.take(run_key="wednesday") == [4]


def test_the_first_run_again_begins_at_the_beginning(table):
    table.create()
    table.add((1, 1), (2, 2))
    assert table.take(run_key="monday") == [1, 2]
    assert table.take(run_key="monday") == [1, 2]


@pytest.mark.parametrize("table", ["mysql"], indirect=True)
def test_an_attempt_of_the_same_task_is_the_same_run(table, source):
    table.create()
    table.add((1, 1))

    def attempt(name: str) -> list[int]:
        environment = {"DUCTRUNNER_ATTEMPT_ID": name, "DUCTRUNNER_PIPELINE_ID": "df-1"}
        source.context = StepContext(Silent(), environment=environment)
        return table.take()

    assert attempt("@Extract_2024-01-01T00:00:00_Attempt=1") == [1]
    table.add((2, 2))
    assert attempt("@Extract_2024-01-01T00:00:00_Attempt=2") == [1]
    assert attempt("@Extract_2024-01-02T00:00:00_Attempt=1") == [2]


def test_a_run_that_dies_between_manifest_and_mark_is_done_again(table, monkeypatch):
    table.create()
    table.add((1, 1))
    table.take()
    table.add((2, 2))
    with monkeypatch.context() as patch:
        patch.setattr(mark.MarkStore, "replace", lambda self, document: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            table.extract()
    assert table.ids() == [2]  # the manifest was there already
    assert table.take() == [2]
    assert table.take() == []


def test_a_failed_run_leaves_the_mark_and_the_output(table, monkeypatch):
    table.create()
    table.add((1, 1))
    table.take()
    kept = (table.output / "_mark.json").read_bytes()
    table.add((2, 2))
    monkeypatch.setattr(extraction, "publish", lambda *_: (_ for _ in ()).throw(StoreError("no")))
    with pytest.raises(StoreError):
        table.extract()
    assert (table.output / "_mark.json").read_bytes() == kept
    assert table.ids() == [1]


def test_rows_that_come_while_it_reads_belong_to_the_next_run(table, monkeypatch):
    table.create()
    table.add((1, 1))
    read_all = extraction.read_all

    def add_first(*arguments: Any) -> None:
        table.add((2, 1), (3, 2))
        read_all(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(extraction, "read_all", add_first)
        assert table.take() == [1]
    assert table.take() == [2, 3]


def test_two_runs_at_the_same_time_do_not_both_set_the_mark(table, monkeypatch):
    table.create()
    table.add((1, 1))
    read_all = extraction.read_all

    def another_run_first(*arguments: Any) -> None:
        monkeypatch.setattr(extraction, "read_all", read_all)
        table.extract()
        read_all(*arguments)

    monkeypatch.setattr(extraction, "read_all", another_run_first)
    with pytest.raises(StoreError, match="another run has set"):
        table.extract()
    assert table.ids() == [1]


#: A run that waits for a line before it publishes.
RUN = """
import sys
from core.errors import StoreError
from steps_impl.contract import StepContext
from steps_impl.extract import extraction, rds

class Quiet:
    def progress(self, *_, **__): pass

read_all = extraction.read_all

def read_and_wait(*arguments):
    read_all(*arguments)
    print("ready", flush=True)
    sys.stdin.readline()

extraction.read_all = read_and_wait
given = dict(host_name="source", table="t", cursor_column="id", state=sys.argv[1], output=sys.argv[2])
try:
    rds.STEP.run(rds.ExtractRdsParameters(**given), StepContext(Quiet()))
    print("published")
except StoreError as error:
    print(error)
"""


@pytest.mark.parametrize("place", ["directory", "s3"])
def test_of_processes_that_publish_at_the_same_moment_from_one_mark_one_does(
    source, tmp_path, s3_bucket, s3_client, place
):
    source.execute("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1), (2)")
    state = f"s3://{s3_bucket}/marks/t.json" if place == "s3" else str(tmp_path / "t.json")
    outputs = [tmp_path / str(number) for number in range(3)]
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", RUN, state, str(output)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for output in outputs
    ]
    assert [run.stdout.readline() for run in runs] == ["ready\n"] * 3
    for run in runs:
        run.stdin.write("go\n")
        run.stdin.flush()
    said = [run.communicate(timeout=60)[0] for run in runs]
    published = [answer == "published\n" for answer in said]
    assert (sum(published), sum("another run has set" in answer for answer in said)) == (1, 2)
    assert [(output / "manifest").exists() for output in outputs] == published
    if place == "s3":
        kept = s3_client.list_objects_v2(Bucket=s3_bucket, Prefix="marks/")["Contents"]
        assert [found["Key"] for found in kept] == ["marks/t.json"]


def test_a_lock_that_a_dead_run_has_left_is_taken_over_and_a_living_one_is_waited_for(
    source, s3_bucket, s3_client, monkeypatch
):
    source.execute("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    s3_client.put_object(Bucket=s3_bucket, Key="t/_mark.json.lock", Body=b"somebody")
    wanted = {"table": "t", "cursor_column": "id", "output": f"s3://{s3_bucket}/t/"}
    threading.Timer(0.5, source.context.cancelled.set).start()
    with pytest.raises(InterruptedError, match="another run"):
        source.extract(**wanted)
    source.context.cancelled.clear()
    monkeypatch.setattr(mark_lock, "LEASE", 0.5)
    assert source.extract(**wanted).rows == 1
    keys = [found["Key"] for found in s3_client.list_objects_v2(Bucket=s3_bucket, Prefix="t/_mark")["Contents"]]
    assert keys == ["t/_mark.json"]


def test_a_query_and_several_connections_go_together_with_a_mark(table):
    table.create()
    table.add((1, 1), (2, 2), (3, 3))
    query = {"table": None, "sql": f"SELECT id, c FROM {table._name} WHERE id <> 2"}
    assert table.take(**query) == [1, 3]
    table.add((4, 4))
    assert table.take(**query, files=3) == [4]
    again = {"state": str(table.output.parent / "other.json"), "parallel": 3, "files": 2}
    assert table.take(**again) == [1, 2, 3, 4]
    table.add(*((number, 4 + number // 3) for number in range(5, 30)))
    assert table.take(**again) == list(range(5, 30))
    assert manifest(table.output)["source"]["increment"] == {"cursor": "c", "after": "4", "mark": "13"}


def test_a_mark_of_another_table_or_type_is_refused(table):
    table.create()
    table.add((1, 1))
    table.take()
    with pytest.raises(ParameterError, match="not of id in"):
        table.extract(cursor_column="id")
    table.execute("ALTER TABLE events DROP COLUMN c")
    table.execute("ALTER TABLE events ADD COLUMN c DATE")
    with pytest.raises(SchemaMismatch, match="now it is a date"):
        table.extract()


def test_a_broken_mark_is_an_error_and_no_beginning(table):
    table.create()
    table.output.mkdir()
    (table.output / "_mark.json").write_text("{")
    with pytest.raises(RecordMalformed, match=r"_mark\.json is no high-water mark"):
        table.extract()


@pytest.mark.parametrize(
    ("kind", "parameters", "said"),
    [
        ("INT", {"cursor_column": "nowhere"}, "there is no such column; there are id, c, note"),
        ("DOUBLE PRECISION", {}, "cannot be told apart in order by a double"),
        ("INT", {"look_back": "5 minutes"}, "the cursor is a number"),
        ("VARCHAR(9)", {"look_back": "5"}, "texts have no distance"),
        ("DATE", {"look_back": "5"}, "is not a period"),
    ],
)
def test_what_cannot_be_done_is_said(table, kind, parameters, said):
    table.create(kind)
    table.add((1, "2024-01-01" if kind == "DATE" else "1"))
    with pytest.raises(ParameterError, match=said):
        table.extract(**parameters)


def test_infinite_cursors_do_not_end_all_later_runs(postgres_source, tmp_path):  # noqa: F811
    postgres_source.execute(
        "CREATE TABLE e (id int, c timestamptz); INSERT INTO e VALUES (1, '2024-01-01'), (2, 'infinity')"
    )
    wanted = {"table": "own.e", "cursor_column": "c"}
    with pytest.raises(UnsupportedValue, match="1 rows have no value"):
        from_postgres(tmp_path / "out", **wanted)
    from_postgres(tmp_path / "out", **wanted, null_cursors="skip")
    postgres_source.execute("INSERT INTO e VALUES (3, '2024-01-02')")
    from_postgres(tmp_path / "out", **wanted, null_cursors="skip")
    assert [row["id"] for row in records(tmp_path / "out")] == ["3"]


def test_the_mark_lives_in_s3_beside_the_output_or_where_it_is_told(source, s3_bucket, s3_client):
    source.execute("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1), (2)")
    source.extract(table="t", cursor_column="id", output=f"s3://{s3_bucket}/t/")
    source.execute("INSERT INTO t VALUES (3)")
    assert source.extract(table="t", cursor_column="id", output=f"s3://{s3_bucket}/t/").rows == 1
    kept = json.loads(s3_client.get_object(Bucket=s3_bucket, Key="t/_mark.json")["Body"].read())
    assert (kept["point"]["mark"], kept["cursor"]) == ("3", "id")
    elsewhere = {"state": f"s3://{s3_bucket}/marks/t.json", "output": f"s3://{s3_bucket}/runs/1/"}
    assert source.extract(table="t", cursor_column="id", **elsewhere).rows == 3
    elsewhere["output"] = f"s3://{s3_bucket}/runs/2/"
    assert source.extract(table="t", cursor_column="id", **elsewhere).rows == 0


def test_a_staging_directory_is_no_place_for_a_mark(source, tmp_path):
    source.execute("CREATE TABLE t (id INT PRIMARY KEY)")
    source.context = StepContext(Silent(), environment={"OUTPUT1_STAGING_DIR": str(tmp_path / "staged")})
    with pytest.raises(ParameterError, match="--state"):
        source.extract(table="t", cursor_column="id", output=None)
