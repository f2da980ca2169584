"""Tables of the warehouse to files in S3, loaded again and compared; twice, killed, and with bad input."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import signal
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from pydantic import ValidationError

from core.errors import NotFound, ParameterError, SchemaMismatch, SettingsError, StatementFailed, StoreError
from steps_impl.extract import mark_lock
from steps_impl.extract.runs import Run
from tests.unit.extract.test_delimited_formats import read_tsv

#: Texts that formats get wrong.
ODD = ["", "NULL", r"\N", r"C:\new", "a\tb", 'say "x", y', "line\nfeed", "car\rriage", "🦆é", "'quoted'", None]


def odd_table(warehouse: Any, *, without: tuple[str, ...] = ()) -> str:
    name = warehouse.name("odd")
    warehouse.sql(f"CREATE TABLE {name} (id INT PRIMARY KEY, t VARCHAR(100), d DECIMAL(38,10), at TIMESTAMP)")
    texts = [text for text in ODD if text not in without]
    for number, text in enumerate(texts):
        row = (
            number,
            text,
            None if text is None else "1234567890123456789012345678.0123456789",
            "2024-02-29 01:02:03.5",
        )
        warehouse.sql(f"INSERT INTO {name} VALUES (%s, %s, %s, %s)", row)
    return name


def numbers(warehouse: Any, rows: int = 1000) -> str:
    name = warehouse.name("numbers")
    warehouse.sql(f"CREATE TABLE {name} AS SELECT g AS id, 'x' || g AS t FROM generate_series(1, {rows}) AS g")
    return name


@pytest.mark.parametrize(
    ("output_format", "without", "options"),
    [
        ("tsv", (), {}),
        ("tsv", (), {"parallel": False, "compression": "bzip2"}),
        ("csv", (r"\N",), {"compression": "none"}),
    ],
)
def test_odd_values_come_back_as_they_were(
    warehouse: Any, output_format: str, without: tuple[str, ...], options: dict[str, Any]
) -> None:
    name, place = odd_table(warehouse, without=without), warehouse.uri("out/")
    done = warehouse.run("extract-redshift", table=name, output=place, output_format=output_format, **options)
    copy = warehouse.name("copy")
    definition = f"CREATE TABLE {copy} (id INT PRIMARY KEY, t VARCHAR(100), d DECIMAL(38,10), at TIMESTAMP)"
    warehouse.run("create-load-redshift", table_definition=definition, input=[place], analyze=False)
    read = "SELECT id, t, d, at FROM {} ORDER BY id"
    assert warehouse.sql(read.format(copy)) == warehouse.sql(read.format(name))
    assert done.rows == len(ODD) - len(without)


def test_the_manifest_counts_rows_and_bytes_and_names_the_columns(warehouse: Any) -> None:
    name, place = numbers(warehouse), warehouse.uri("out/")
    done = warehouse.run("extract-redshift", table=name, output=place)
    manifest = warehouse.manifest(place)
    assert [element["name"] for element in manifest["schema"]["elements"]] == ["id", "t"]
    assert sum(entry["meta"]["record_count"] for entry in manifest["entries"]) == done.rows == 1000
    assert all(entry["meta"]["content_length"] == len(warehouse.get(entry["url"])) for entry in manifest["entries"])
    assert all(entry["mandatory"] for entry in manifest["entries"])
    rows = [line for url in warehouse.urls(place) for line in gzip.decompress(warehouse.get(url)).splitlines()]
    assert sorted(rows) == sorted(f"{number}\tx{number}".encode() for number in range(1, 1001))


def test_a_query_may_have_a_limit_quotes_and_backslashes(warehouse: Any) -> None:
    name, place = numbers(warehouse), warehouse.uri("out/")
    sql = f"SELECT id, 'it''s (\\) $x$' AS t FROM {name} WHERE t <> ';' ORDER BY id LIMIT 3; -- the first"
    done = warehouse.run("extract-redshift", sql=sql, output=place, parallel=False, compression="none")
    [url] = warehouse.urls(place)
    assert done.rows == 3
    assert warehouse.get(url) == b"".join(b"%d\tit's (\\\\) $x$\n" % number for number in (1, 2, 3))


def test_a_second_run_leaves_one_set_of_files(warehouse: Any) -> None:
    name, place = numbers(warehouse), warehouse.uri("out/")
    stranger = warehouse.put("out/readme.txt", b"not ours")
    warehouse.run("extract-redshift", table=name, output=place)
    former = warehouse.urls(place)
    warehouse.sql(f"DELETE FROM {name} WHERE id > 10")
    done = warehouse.run("extract-redshift", schema="public", table=name, output=place)
    files = {warehouse.uri(f"out/{key}") for key in warehouse.keys("out/")}
    assert files == {stranger, warehouse.uri("out/manifest"), *warehouse.urls(place)}
    assert not files.intersection(former)
    assert done.rows == 10


def test_an_empty_table_gives_files_that_load(warehouse: Any) -> None:
    name, place = numbers(warehouse, 0), warehouse.uri("out/")
    done = warehouse.run("extract-redshift", table=name, output=place)
    assert (done.rows, bool(warehouse.urls(place))) == (0, True)
    definition = f"CREATE TABLE {warehouse.name('copy')} (id INT, t VARCHAR(20))"
    loaded = warehouse.run("create-load-redshift", table_definition=definition, input=[place], analyze=False)
    assert loaded.rows == 0


@pytest.mark.parametrize("rows", [50, 0])
def test_json_and_parquet_hold_the_same_rows(warehouse: Any, rows: int) -> None:
    name, place = numbers(warehouse, rows), warehouse.uri("out/")
    wanted = [{"id": number, "t": f"x{number}"} for number in range(1, rows + 1)]
    done = warehouse.run("extract-redshift", table=name, output=place, output_format="json", compression="zstd")
    content = b"".join(
        zstandard.ZstdDecompressor().decompressobj().decompress(warehouse.get(url)) for url in warehouse.urls(place)
    )
    assert sorted(map(json.loads, content.splitlines()), key=itemgetter("id")) == wanted
    assert done.rows == rows
    done = warehouse.run("extract-redshift", table=name, output=place, output_format="parquet")
    tables = [pq.read_table(io.BytesIO(warehouse.get(url))) for url in warehouse.urls(place)]
    assert sorted(pa.concat_tables(tables).to_pylist(), key=itemgetter("id")) == wanted
    assert done.rows == rows
    assert str(tables[0].schema.field("id").type) == "int32"


def test_a_header_is_not_counted_as_a_row(warehouse: Any) -> None:
    name, place = numbers(warehouse, 3), warehouse.uri("out/")
    done = warehouse.run(
        "extract-redshift",
        table=name,
        output=place,
        output_format="csv",
        header=True,
        parallel=False,
        compression="bzip2",
    )
    [url] = warehouse.urls(place)
    assert bz2.decompress(warehouse.get(url)) == b"id,t\n1,x1\n2,x2\n3,x3\n"
    assert (done.rows, warehouse.manifest(place)["meta"]["record_count"]) == (3, 3)


def test_append_adds_rows_and_a_retry_of_the_same_task_adds_none(warehouse: Any) -> None:
    name, place = numbers(warehouse, 4), warehouse.uri("out/")
    extract = {"table": name, "output": place, "insert_mode": "APPEND"}
    for attempt, rows in (("@A_2024_Attempt=1", 4), ("@A_2024_Attempt=2", 4), ("@A_2025_Attempt=1", 8)):
        warehouse.extra = {"DUCTRUNNER_PIPELINE_ID": "df-1", "DUCTRUNNER_ATTEMPT_ID": attempt}
        warehouse.run("extract-redshift", **extract)
        manifest = warehouse.manifest(place)
        assert manifest["meta"]["record_count"] == rows
        assert {entry["url"] for entry in manifest["entries"]} == {
            warehouse.uri(f"out/{key}") for key in warehouse.keys("out/") if key != "manifest"
        }
    warehouse.extra = {}
    for _ in range(2):
        warehouse.run("extract-redshift", **extract, run_key="by hand")
        assert warehouse.manifest(place)["meta"]["record_count"] == 12
    with pytest.raises(ParameterError, match="--run-key"):
        warehouse.run("extract-redshift", **extract)
    with pytest.raises(SchemaMismatch, match="other columns or another format"):
        warehouse.run("extract-redshift", **{**extract, "output_format": "csv"}, run_key="other")
    assert warehouse.manifest(place)["meta"]["record_count"] == 12


def rows_of(warehouse: Any, place: str) -> list[tuple[int, str]]:
    text = b"".join(gzip.decompress(warehouse.get(url)) for url in warehouse.urls(place)).decode()
    return sorted((int(number), rest) for number, _, rest in (line.partition("\t") for line in text.splitlines()))


@pytest.mark.parametrize("kind", ["TIMESTAMP", "DECIMAL(20,5)", "BIGINT", "VARCHAR(400)", "DATE", "TIMESTAMPTZ"])
def test_new_rows_are_read_once_with_ties_and_late_ones(warehouse: Any, kind: str) -> None:
    values = {
        "TIMESTAMP": ("2024-01-01 00:00:00.5", "2024-01-02 00:00:00"),
        "TIMESTAMPTZ": ("2024-01-01 00:00:00.5+02", "2024-01-02 00:00:00+00"),
        "DATE": ("2024-01-01", "2024-01-02"),
        "DECIMAL(20,5)": ("1.50001", "1.50002"),
        "BIGINT": ("9000000000", "9000000001"),
        "VARCHAR(400)": ("a" * 300 + "'1", "a" * 300 + "'2"),
    }[kind]
    name, place = warehouse.name("changes"), warehouse.uri("out/")
    warehouse.sql(f"CREATE TABLE {name} (id INT, note VARCHAR(20), ok BOOLEAN, at {kind})")
    extract = {"table": name, "output": place, "cursor_column": "at"}

    def insert(*rows: tuple[int, str | None, str]) -> None:
        for number, note, at in rows:
            warehouse.sql(f"INSERT INTO {name} VALUES (%s, %s, true, %s)", (number, note, at))

    def read() -> list[int]:
        warehouse.run("extract-redshift", **extract)
        return [number for number, _ in rows_of(warehouse, place)]

    insert((1, None, values[0]), (2, "NULL", values[0]))
    assert read() == [1, 2]
    assert read() == []
    insert((3, "", values[0]), (1, None, values[0]), (4, "x", values[1]))
    assert read() == [1, 3, 4]
    assert read() == []
    assert warehouse.manifest(place)["source"]["increment"]["cursor"] == "at"


def test_a_retry_of_an_increment_reads_the_same_rows_again(warehouse: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mark_lock, "LEASE", 0.5)
    name, place = numbers(warehouse, 3), warehouse.uri("out/")
    extract = {"table": name, "output": place, "cursor_column": "id", "state": warehouse.uri("mark.json")}
    assert warehouse.run("extract-redshift", **extract, run_key="one").rows == 3
    warehouse.sql(f"INSERT INTO {name} VALUES (4, 'x')")
    assert warehouse.run("extract-redshift", **extract, run_key="one").rows == 3
    assert warehouse.run("extract-redshift", **extract, run_key="two").rows == 1
    ended = warehouse.dying(
        signal.SIGKILL,
        "steps_impl.extract.mark:MarkStore.replace",
        *("extract-redshift", "--table", name, "--output", place, "--cursor-column", "id"),
        *("--state", warehouse.uri("mark.json"), "--run-key", "three"),
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    warehouse.sql(f"INSERT INTO {name} VALUES (5, 'x')")
    assert warehouse.run("extract-redshift", **extract, run_key="three").rows == 1
    assert rows_of(warehouse, place) == [(5, "x")]


@pytest.mark.parametrize(
    "moment",
    [
        "steps_impl.extract.redshift:read_unloaded",
        "steps_impl.extract.runs:Run.publish",
        "steps_impl.extract.runs:remove_former",
    ],
)
def test_a_run_that_is_killed_leaves_a_whole_output_and_the_next_one_clears_up(warehouse: Any, moment: str) -> None:
    name, place = numbers(warehouse, 100), warehouse.uri("out/")
    warehouse.run("extract-redshift", table=name, output=place)
    former = warehouse.urls(place)
    warehouse.sql(f"INSERT INTO {name} VALUES (101, 'new')")
    ended = warehouse.dying(signal.SIGKILL, moment, "extract-redshift", "--table", name, "--output", place)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    manifest = warehouse.manifest(place)
    assert manifest["meta"]["record_count"] == (101 if "remove_former" in moment else 100)
    assert set(warehouse.urls(place)) <= {warehouse.uri(f"out/{key}") for key in warehouse.keys("out/")}
    assert (warehouse.urls(place) == former) == ("remove_former" not in moment)
    warehouse.run("extract-redshift", table=name, output=place)
    assert len(warehouse.keys("out/")) == len(warehouse.urls(place)) + 1


def in_directory(place: Path) -> list[tuple[str | None, ...]]:
    """Return the rows of the files that a manifest in a directory names, as texts."""
    document = json.loads((place / "manifest").read_text())
    texts = [gzip.decompress((place / entry["url"]).read_bytes()) for entry in document["entries"]]
    assert [(place / entry["url"]).stat().st_size for entry in document["entries"]] == [
        entry["meta"]["content_length"] for entry in document["entries"]
    ]
    rows = [row for text in texts for row in read_tsv(text)]
    return sorted(tuple(None if value is None else value.decode() for value in row) for row in rows)


def test_files_for_a_directory_pass_through_s3_and_leave_nothing_there(warehouse: Any, tmp_path: Path) -> None:
    name, place = odd_table(warehouse), tmp_path / "out"
    done = warehouse.run("extract-redshift", table=name, output=str(place))
    expected = warehouse.sql(f"SELECT id::VARCHAR, t, d::VARCHAR, at::VARCHAR FROM {name}")
    assert in_directory(place) == sorted(expected)
    assert (done.rows, done.details["manifest"]) == (len(ODD), str(place / "manifest"))
    warehouse.sql(f"DELETE FROM {name} WHERE id > 0")
    warehouse.extra = {"OUTPUT1_STAGING_DIR": str(place)}
    assert warehouse.run("extract-redshift", table=name).rows == 1
    assert len(in_directory(place)) == 1
    assert len(list(place.iterdir())) == 1 + len(json.loads((place / "manifest").read_text())["entries"])
    warehouse.sql(f"DELETE FROM {name}")
    assert (warehouse.run("extract-redshift", table=name).rows, in_directory(place)) == (0, [])
    assert warehouse.keys("") == []


def test_a_run_for_a_directory_that_is_killed_changes_nothing_and_the_next_one_clears_up(
    warehouse: Any, tmp_path: Path
) -> None:
    name, place = numbers(warehouse, 100), tmp_path / "out"
    words = ("extract-redshift", "--table", name, "--output", str(place))
    warehouse.run("extract-redshift", table=name, output=str(place))
    former = in_directory(place)
    warehouse.sql(f"INSERT INTO {name} VALUES (101, 'new')")
    ended = warehouse.dying(signal.SIGKILL, "steps_impl.extract.redshift:fetch", *words)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert (in_directory(place), bool(warehouse.keys("unloads/"))) == (former, True)
    assert warehouse.run("extract-redshift", table=name, output=str(place), cursor_column="id").rows == 101
    assert (len(in_directory(place)), warehouse.keys("")) == (101, [])
    assert warehouse.run("extract-redshift", table=name, output=str(place), cursor_column="id").rows == 0


def test_a_directory_without_a_bucket_to_pass_through_is_told(warehouse: Any, tmp_path: Path) -> None:
    text = warehouse.config.read_text()
    warehouse.config.write_text("\n".join(line for line in text.splitlines() if "s3_etl_bucket" not in line))
    with pytest.raises(SettingsError, match=r"etl\.s3_etl_bucket"):
        warehouse.run("extract-redshift", table="t", output=str(tmp_path / "out"))


def test_a_run_that_is_cancelled_removes_its_files(warehouse: Any) -> None:
    name, place = numbers(warehouse, 100), warehouse.uri("out/")
    warehouse.run("extract-redshift", table=name, output=place)
    former = warehouse.keys("out/")
    words = ("extract-redshift", "--table", name, "--output", place)
    ended = warehouse.dying(signal.SIGTERM, "steps_impl.extract.redshift:read_unloaded", *words)
    assert (ended.returncode, warehouse.keys("out/")) == (143, former)


def test_of_two_runs_at_once_one_fails_and_the_manifest_names_files_that_are_there(warehouse: Any) -> None:
    name, place = numbers(warehouse, 100), warehouse.uri("out/")
    demand = Run.demand

    def overtaken(self: Run, files: int) -> None:
        Run.demand = demand  # type: ignore[method-assign]
        warehouse.run("extract-redshift", table=name, output=place)
        demand(self, files)

    Run.demand = overtaken  # type: ignore[method-assign]
    with pytest.raises(StoreError, match="another run has removed"):
        warehouse.run("extract-redshift", table=name, output=place)
    assert set(warehouse.urls(place)) == {
        warehouse.uri(f"out/{key}") for key in warehouse.keys("out/") if key != "manifest"
    }


def test_what_is_wrong_is_told_and_leaves_the_output_as_it_was(warehouse: Any) -> None:
    name, place = numbers(warehouse, 5), warehouse.uri("out/")
    warehouse.run("extract-redshift", table=name, output=place)
    former = warehouse.keys("out/")
    for wrong, error in (
        ({"table": "no_such_table", "output": place}, NotFound),
        ({"sql": f"SELECT nothing FROM {name}", "output": place}, StatementFailed),
        ({"sql": f"SELECT 1 / (id - 3) FROM {name}", "output": place}, StatementFailed),
        ({"table": name, "output": "s3://no-such-bucket-here/x"}, NotFound),
        ({"table": name}, ParameterError),
    ):
        with pytest.raises(error):
            warehouse.run("extract-redshift", **wrong)
    assert warehouse.keys("out/") == former


@pytest.mark.parametrize(
    "wrong",
    [
        {"table": "a", "sql": "SELECT 1"},
        {},
        {"table": "a; DROP TABLE b"},
        {"table": "x.a", "schema": "y"},
        {"sql": "SELECT 1", "schema": "y"},
        {"table": "a", "output_format": "parquet", "compression": "gzip"},
        {"table": "a", "output_format": "json", "header": True},
        {"table": "a", "max_file_size": 1},
    ],
)
def test_parameters_that_do_not_go_together_are_refused(warehouse: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        warehouse.run("extract-redshift", output=warehouse.uri("out/"), **wrong)


def test_a_warehouse_without_a_role_is_told(warehouse: Any) -> None:
    text = warehouse.config.read_text()
    warehouse.config.write_text("\n".join(line for line in text.splitlines() if "iam_role" not in line))
    with pytest.raises(SettingsError, match=r"redshift\.iam_role"):
        warehouse.run("extract-redshift", table="t", output=warehouse.uri("out/"))
