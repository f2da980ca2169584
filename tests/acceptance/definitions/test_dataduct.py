"""Dataduct's 24 examples, as it compiles them, run unchanged: what they leave in S3 and in the databases."""

from __future__ import annotations

import boto3
import pytest

from core.settings import Settings
from tests.acceptance.definitions import seeds
from tests.acceptance.definitions.conftest import names_in
from tests.acceptance.definitions.test_definitions import Outcomes, check_ends, check_valid, contents, rows

NAMES = names_in("dataduct")
DATA = "s3://example-bucket/dataduct/data"
TABLE_1, TABLE_2 = ["1\tone", "2\tit's", "3\tC:\\\\new"], ["4\tfour", "5\tNULL"]
WORDS = ["again\t1", "hello\t2", "world\t1"]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_valid_as_it_is(name: str) -> None:
    check_valid(name)


@pytest.mark.parametrize("name", NAMES)
def test_each_activity_ends_as_it_does_on_aws(name: str, outcomes: Outcomes) -> None:
    check_ends(name, outcomes)


@pytest.mark.parametrize(
    ("example", "step", "lines"),
    [
        ("bootstrap", "transform_step/", TABLE_1),
        ("custom_extract_local", "transform_step/", TABLE_1),
        ("double_input", "transform_step/transform_step_S3Node", TABLE_1 + TABLE_2),
        ("double_output", "consumer_1", TABLE_1),
        ("double_output", "consumer_2", TABLE_2),
        ("emr_streaming", "transform_step", WORDS),
        ("extract_local", "transform_step/", TABLE_1),
        ("extract_postgres", "extract_postgres/extract_postgres_S3Node1", ["1\tone", "2\tNULL"]),
        ("extract_rds", "extract_rds_table/extract_rds_table_S3Node1", ["1\tone", "2\tNULL", "3\t1000"]),
        ("extract_rds", "extract_rds_sql/extract_rds_sql_S3Node1", []),
        ("extract_redshift", "extract_redshift", ["1\tone", "2\ttwo"]),
        ("extract_s3", "transform_step", [*TABLE_1, "hello world", "hello again"]),
        ("pipeline_dependency", "transform_step/", TABLE_1),
        ("transform", "transform_script", ["-v", "a b", f"test_table1.tsv {len(chr(10).join(TABLE_1)) + 1}"]),
        ("transform", "transform_directory", ["<--name=it's>", "<x y>"]),
    ],
)
def test_what_an_example_writes_to_s3_is_there(example: str, step: str, lines: list[str], outcomes: Outcomes) -> None:
    base = f"{DATA}/example_{example}/version_20150101000000"
    day = "/20150101-00-00-00" if example == "extract_rds" else ""  # runs every day
    assert contents(f"{base}{day}/{step}") == sorted(lines)


def test_an_extract_in_splits_has_that_many_files_and_an_empty_one_an_empty_file(outcomes: Outcomes) -> None:
    prefix = "dataduct/data/example_extract_rds/version_20150101000000/20150101-00-00-00/"
    listed = boto3.client("s3").list_objects_v2(Bucket="example-bucket", Prefix=prefix)["Contents"]
    keys = [entry["Key"].removeprefix(prefix) for entry in listed if "S3Node1" in entry["Key"]]
    assert keys == [
        "extract_rds_sql/extract_rds_sql_S3Node1/part-0",
        "extract_rds_table/extract_rds_table_S3Node1/part-0000",
        "extract_rds_table/extract_rds_table_S3Node1/part-0001",
    ]


def test_what_examples_write_to_the_warehouse_is_there(settings: Settings, outcomes: Outcomes) -> None:
    table = [(1, "one"), (2, "it's"), (3, "C:\\new")]
    expected = {
        "dd_create_and_load": table,
        "dd_create_update": [(4, "it's 100%")],
        "dd_loaded": table,
        "dd_production": table,
        "dd_reload": [(1, "new"), (2, "two")],
        "dd_sql_command": [(7, "a--b")],
        "dd_upsert": [(1, "new"), (2, "two"), (9, "kept")],
    }
    with seeds.warehouse(settings) as cursor:
        assert {name: rows(cursor, f"SELECT id, description FROM dev.{name}") for name in expected} == expected


def test_what_an_example_loads_into_postgres_is_there(outcomes: Outcomes) -> None:
    with seeds.postgres() as cursor:
        found = rows(cursor, "SELECT id, description FROM dd_loaded")
    assert found == [(1, "one"), (2, "it's"), (3, "C:\\new")]


def test_checks_leave_dataducts_log_rows(outcomes: Outcomes) -> None:
    logged = [line.split("\t") for line in contents("s3://ductrunner-sandbox/etl/qa/dba_table_qa_tests/")]
    found = {(row[1], row[2], row[5]) for row in logged}
    assert found >= {("dd_songs", "example_count_check", "1"), ("dd_songs", "example_primary_key_check", "1")}


def test_the_failure_of_a_step_is_told_with_its_exit_status(outcomes: Outcomes) -> None:
    assert "exit status 3" in outcomes["dataduct/failed_pipeline"].steps["failing_step.ShellCommandActivity0"].error


def test_there_are_all_24(outcomes: Outcomes) -> None:
    assert len(outcomes) == 24
