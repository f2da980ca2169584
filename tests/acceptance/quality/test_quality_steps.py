from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any

import boto3
import pytest

#: Rows of the fixture's table: bigint, varchar, decimal, real, boolean, date, timestamp.
ROWS: list[tuple[Any, ...]] = [
    (1, "plain", "1.500000", 0.1, 1, "2024-02-29", "2024-02-29 10:00:00.500000"),
    (2, "", "0.000000", 16777217, 0, "1970-01-01", "1970-01-01 00:00:00"),
    (3, None, None, None, None, None, None),
    (4, "😀 'quoted' \\ %s", "-12.345678", -2.5, 1, "2038-01-20", "2038-01-20 03:14:08.000001"),
]
LOADED = [(*row[:2], row[2] and row[2][:-4], *row[3:]) for row in ROWS]

Details = Callable[[Any], dict[str, Any]]


def changed(rows: list[tuple[Any, ...]], number: int, place: int, value: Any) -> list[tuple[Any, ...]]:
    """Return the rows with one value replaced."""
    new = [list(row) for row in rows]
    new[number][place] = value
    return [tuple(row) for row in new]


def test_equal_tables_on_two_engines_pass_the_column_check(sides: Any, details: Details) -> None:
    sides.source(ROWS)
    sides.target(LOADED)
    done = sides.compare("column-check", "--tolerance", "0")
    assert (done.returncode, details(done)["error_rate"]) == (0, 0.0), done.stderr
    assert details(done)["compared"] == 8


@pytest.mark.parametrize(
    ("place", "value", "column"),
    [
        (1, "Plain", "name"),
        (2, "1.51", "price"),
        (3, 0.1000001, "rate"),
        (4, False, "paid"),
        (5, None, "day"),
        (6, "2024-02-29 10:00:00", "moment"),
    ],
)
def test_one_value_that_differs_fails_the_column_check_with_its_column(
    sides: Any, place: int, value: Any, column: str
) -> None:
    sides.source(ROWS)
    sides.target(changed(LOADED, 0, place, value))
    done = sides.compare("column-check", "--tolerance", "0")
    assert done.returncode == 3
    assert f"differ in {column}" in done.stderr
    assert "CheckFailed" in done.stderr


def test_null_and_the_empty_text_differ_between_the_sides(sides: Any) -> None:
    sides.source(ROWS)
    sides.target(changed(LOADED, 1, 1, None))
    assert sides.compare("column-check", "--tolerance", "0").returncode == 3


def test_no_row_data_reaches_the_report_of_a_failed_check(sides: Any) -> None:
    sides.source(changed(ROWS, 0, 1, "private-person"))
    sides.target(LOADED)
    done = sides.compare("column-check", "--tolerance", "0")
    assert done.returncode == 3
    assert "private-person" not in done.stdout + done.stderr


def test_the_column_check_takes_a_query_with_percent_signs(sides: Any) -> None:
    sides.source(ROWS)
    sides.target(LOADED)
    query = f"SELECT * FROM {sides.name} WHERE name LIKE '%s' OR name IS NULL OR 1 = 1"
    done = sides.step("column-check", "--source-host", "source", "--source-sql", query, "--tolerance", "0")
    assert done.returncode == 0, done.stderr


def test_a_missing_row_fails_the_count_check_with_both_counts(sides: Any) -> None:
    sides.source(ROWS)
    sides.target(LOADED[1:])
    done = sides.compare("count-check")
    assert done.returncode == 3
    assert "4 rows in the source, 3 in the destination" in done.stderr


def test_a_count_within_the_tolerance_passes(sides: Any, details: Details) -> None:
    sides.source(ROWS)
    sides.target(LOADED[1:])
    done = sides.compare("count-check", "--tolerance", "25")
    assert (done.returncode, details(done)["error_rate"]) == (0, 25.0)


def test_rows_without_any_source_fail_the_count_check(sides: Any) -> None:
    sides.target(LOADED)
    assert sides.compare("count-check", "--tolerance", "100").returncode == 3


def test_duplicate_keys_fail_the_primary_key_check(sides: Any) -> None:
    sides.target([*LOADED, LOADED[0], LOADED[0]])
    done = sides.step("primary-key-check")
    assert done.returncode == 3
    assert "surplus_rows: 2" in done.stderr


def test_a_null_in_a_key_fails_the_primary_key_check(sides: Any) -> None:
    sides.target(LOADED)
    assert sides.step("primary-key-check").returncode == 0
    done = sides.step("primary-key-check", "--keys", "id", "name")
    assert done.returncode == 3
    assert "1 rows have a NULL in their key" in done.stderr


def test_a_failed_check_that_only_warns_tells_its_topic_and_leaves_a_log_row(
    sides: Any, details: Details, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in sides.sandbox.environment.items():
        monkeypatch.setenv(name, value)
    sns, sqs, s3 = boto3.client("sns"), boto3.client("sqs"), boto3.client("s3")
    topic = sns.create_topic(Name=f"warnings-{secrets.token_hex(4)}")["TopicArn"]
    queue = sqs.create_queue(QueueName=f"warnings-{secrets.token_hex(4)}")["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    sides.target([*LOADED, LOADED[0]])
    done = sides.step(
        "primary-key-check",
        *("--on-failure", "warn", "--sns-topic-arn", topic, "--test-name", f"{sides.name}.Check0"),
        *("--log-to-s3", "--path-suffix", sides.name),
    )
    assert (done.returncode, details(done)["success"]) == (0, False), done.stderr
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(message["Body"])["Subject"] == f"Failure on {sides.name}.Check0"
    objects = s3.list_objects_v2(Bucket="ductrunner-sandbox")["Contents"]
    (key,) = [entry["Key"] for entry in objects if f"/dba_table_qa_tests/{sides.name}/" in entry["Key"]]
    row = s3.get_object(Bucket="ductrunner-sandbox", Key=key)["Body"].read().decode().rstrip("\n").split("\t")
    assert row[:3] == ["public", sides.name, sides.name]
    assert row[5:] == ["0", "0", "1"]


def test_an_unknown_source_is_refused_with_the_known_ones(sides: Any) -> None:
    done = sides.step("count-check", "--source-host", "sauce", "--source-table", "t")
    assert done.returncode == 2
    assert "it knows: postgres, redshift, source" in done.stderr


def test_two_sources_at_once_are_refused(sides: Any) -> None:
    done = sides.compare("count-check", "--source-sql", "SELECT 1")
    assert done.returncode == 2
    assert "exactly one of --source-table, --source-sql and --source-count-sql" in done.stderr
