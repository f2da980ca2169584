"""The loads from files check before their commit as ``upsert`` does (``test_checks_before_commit.py``)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.errors import CheckFailed, ParameterError
from tests.integration.control.conftest import Topic

COLUMNS = ("id", "email", "price", "at")
TABLE = "CREATE TABLE {} (id INT{}, email VARCHAR(40), price DECIMAL(8,2), at TIMESTAMP{})"
ORDERS = TABLE.format("orders", " NOT NULL", ", PRIMARY KEY (id)")
STEPS = {
    "create-load-redshift": {"table_definition": ORDERS},
    "load-redshift": {"table": "orders"},
    "load-reload-pk": {
        "staging_table_definition": TABLE.format("raw", "", ""),
        "production_table_definition": ORDERS,
    },
}
BEFORE = [(1, "kept@example.org")]


@pytest.fixture(params=sorted(STEPS))
def load(request: pytest.FixtureRequest, warehouse: Any) -> Any:
    """Loads three rows, one with a NULL email, over a row that is there; a line more is refused where that may be."""
    warehouse.rows(ORDERS)
    warehouse.rows("INSERT INTO orders VALUES (1, 'kept@example.org', 1, NULL)")
    at = f"{datetime.now(UTC) - timedelta(hours=3):%Y-%m-%d %H:%M:%S}"
    new = [["1", "new@example.org", "5", at], ["2", None, "6", None], ["3", "c@example.org", "-7", None]]

    def run(step: str = request.param, more: Any = (), **options: Any) -> Any:
        name = {"load-redshift": "max_errors"}.get(step, "max_error")
        given = {name: options.pop("may_refuse")} if "may_refuse" in options else {}
        manifest = warehouse.put_extract("in", COLUMNS, [*new, *more])
        return warehouse.run(step, **STEPS[step], input=[manifest], **given, **options)

    run.step = request.param  # type: ignore[attr-defined]
    return run


def rows(warehouse: Any) -> Any:
    return warehouse.rows("SELECT id, email FROM orders ORDER BY id")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"check_dropped": 20, "may_refuse": 9, "more": [["x", "", "", None]]}, "1 of 4 rows that were read are left"),
        ({"check_nulls": ["id", "email=30"]}, "1 of 3 rows have no email"),
        ({"check_freshness": "at=2 hours"}, "the newest at is 3:00:0"),
        ({"check_sql": ["SELECT 0", "SELECT COUNT(*) FROM {target} JOIN {staging} USING (id)"]}, "query returns 3"),
    ],
)
def test_a_check_that_fails_is_reported_and_leaves_the_table_as_it_was(
    warehouse: Any, load: Any, options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(CheckFailed, match=message):
        load(check_report=str(tmp_path / "r.json"), **options)
    report = json.loads((tmp_path / "r.json").read_text())
    assert [check["outcome"] for check in report["checks"]].count("failed") == 1
    assert rows(warehouse) == BEFORE
    assert warehouse.staging_tables() == []


def test_a_check_that_warns_is_told_with_those_that_pass_and_the_rows_are_loaded(
    warehouse: Any, load: Any, tmp_path: Path
) -> None:
    topic = Topic()
    result = load(
        check_nulls=["email", "price"],
        check_freshness="at=4 hours",
        check_sql=["SELECT COUNT(*) - 3 FROM {target}"],
        warn_checks=["nulls"],
        check_topic_arn=topic.arn,
        check_log_to_s3=True,
        check_report=str(tmp_path / "r.json"),
    )
    assert [row[0] for row in rows(warehouse)] == [1, 2, 3]
    checks = {check["check"]: check["success"] for check in result.details["checks"]}
    assert checks.pop("null-rate of email") is False
    assert {"rows arrived", "null-rate of price", "freshness of at", "sql check 1"} <= set(checks)
    assert set(checks.values()) == {True}
    report = {check["name"]: check["outcome"] for check in json.loads((tmp_path / "r.json").read_text())["checks"]}
    assert [name.partition("orders ")[2] for name in report if report[name] == "warning"] == ["null-rate of email"]
    logged = warehouse.s3.list_objects_v2(Bucket=warehouse.bucket, Prefix="etl/qa/dba_table_qa_tests/")["Contents"]
    assert len(logged) == len(report) == len(result.details["checks"])
    assert ["1 of 3 rows have no email" in message["Message"] for message in topic.messages()] == [True]


def test_what_cannot_be_told_of_a_failed_check_is_said_beside_it_and_keeps_nothing_else_from_being_told(
    warehouse: Any, load: Any
) -> None:
    topic = Topic()
    with pytest.raises(CheckFailed) as caught:
        load(check_nulls=["email"], check_report="s3://no-such-bucket/r.json", check_topic_arn=topic.arn)
    first, second = str(caught.value).split("\n  and its report was not written: NotFound: ")
    assert "1 of 3 rows have no email" in first
    assert "no-such-bucket" in second
    assert ["1 of 3 rows have no email" in message["Message"] for message in topic.messages()] == [True]
    with pytest.raises(CheckFailed, match=r"(?s)have no email.* and its topic was not told: NotFound: .*:gone"):
        load(check_nulls=["email"], check_topic_arn=topic.arn + ":gone")
    assert rows(warehouse) == BEFORE


@pytest.mark.parametrize("load", ["create-load-redshift", "load-redshift"], indirect=True)
def test_keys_of_the_table_are_checked_where_that_is_asked_for(warehouse: Any, load: Any) -> None:
    with pytest.raises(CheckFailed, match=r"1 rows have a key \(id\) that another has"):
        load(check_keys=True, more=[["3", "d@example.org", "1", None]])
    assert rows(warehouse) == BEFORE
    assert load(check_keys=True).details["checks"][1]["rows"] == 3


@pytest.mark.parametrize("load", ["load-reload-pk"], indirect=True)
def test_rows_without_a_key_and_second_ones_count_as_dropped(warehouse: Any, load: Any) -> None:
    more = [["3", "d@example.org", "1", None], [None, "e@example.org", "1", None]]
    with pytest.raises(CheckFailed, match="2 of 5 rows that were read are left out"):
        load(check_dropped=39, null_keys="drop", more=more)
    dropped = load(check_dropped=40, null_keys="drop", more=more).details["checks"][-1]
    assert {"read": 5, "refused": 0, "without_key": 1, "duplicates": 1}.items() <= dropped.items()


@pytest.mark.parametrize("load", ["load-reload-pk"], indirect=True)
def test_a_refusal_that_is_no_check_is_in_the_report_too(warehouse: Any, load: Any, tmp_path: Path) -> None:
    with pytest.raises(CheckFailed, match="NULL in id"):
        load(more=[[None, "e@example.org", "1", None]], check_report=str(tmp_path / "r.json"))
    *passed, refused = json.loads((tmp_path / "r.json").read_text())["checks"]
    assert {check["outcome"] for check in passed} == {"passed"}
    assert refused["outcome"] == "failed"
    assert "1 staged rows for orders have NULL in id" in refused["finding"]


def test_rows_may_be_missing_within_the_tolerance_or_are_not_counted(warehouse: Any, load: Any) -> None:
    manifest = warehouse.put_extract("short", COLUMNS, [["5", None, None, None]] * 1, rows=4)
    given = {**STEPS[load.step], "input": [manifest]}
    with pytest.raises(CheckFailed, match="4 in source, 1 in files"):
        warehouse.run(load.step, **given, tolerance=74)
    assert rows(warehouse) == BEFORE
    assert warehouse.run(load.step, **given, tolerance=75).rows == 1
    assert warehouse.run(load.step, **given, check_rows=False).rows == 1


@pytest.mark.parametrize("options", [{"check_nulls": ["nothing"]}, {"check_freshness": "nothing=1 day"}])
def test_a_check_of_a_column_that_is_not_there_changes_nothing(
    warehouse: Any, load: Any, options: dict[str, Any]
) -> None:
    with pytest.raises(ParameterError, match="no column 'nothing' to check"):
        load(**options)
    assert rows(warehouse) == BEFORE
