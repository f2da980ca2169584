from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.errors import CheckFailed, ParameterError, StatementFailed

TABLE = "CREATE TABLE orders (id INT, email VARCHAR(40), price DECIMAL(8,2), at TIMESTAMP, PRIMARY KEY (id))"
BEFORE = [(1, "kept@example.org")]


@pytest.fixture(params=["upsert", "reload"])
def load(request: pytest.FixtureRequest, warehouse: Any) -> Any:
    """Loads four rows, one with a NULL email and two with one key, over a row that is there."""
    for statement in (
        TABLE,
        "INSERT INTO orders VALUES (1, 'kept@example.org', 1, NULL)",
        "CREATE TABLE fresh (LIKE orders)",
        (
            "INSERT INTO fresh VALUES (1, 'new@example.org', 5, DATEADD(hour, -3, GETDATE())), (2, NULL, 6, NULL), "
            "(3, 'c@example.org', -7, NULL), (3, 'd@example.org', -7, NULL)"
        ),
    ):
        warehouse.rows(statement)

    def run(**options: Any) -> Any:
        return warehouse.run(request.param, table_definition=TABLE, source_table="fresh", **options)

    return run


def rows(warehouse: Any) -> Any:
    return warehouse.rows("SELECT id, email FROM orders ORDER BY id")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"check_dropped": 20}, "1 of 4 rows that were read are left out"),
        ({"check_nulls": ["id", "email=30"]}, "1 of 3 rows have no email"),
        ({"check_freshness": "at=2 hours"}, "the newest at is 3:00:0"),
        ({"check_sql": ["SELECT COUNT(*) FROM {staging} WHERE price < 0"]}, "the query returns 1"),
        ({"check_sql": ["SELECT 0;", "SELECT SUM(price) - 5 FROM {target} WHERE id > 0"]}, "sql check 2"),
        ({"check_sql": ["SELECT 1, 2"]}, "one row with one number"),
    ],
)
def test_a_check_that_fails_leaves_the_table_as_it_was(
    warehouse: Any, load: Any, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(CheckFailed, match=message):
        load(**options)
    assert rows(warehouse) == BEFORE
    assert warehouse.staging_tables() == []


def test_checks_that_pass_are_in_the_result(warehouse: Any, load: Any) -> None:
    result = load(check_dropped=25, check_nulls=["email=34"], check_freshness="at=4 hours",
                  check_sql=["SELECT COUNT(*) FROM {staging} WHERE price > 100"])  # fmt: skip
    assert [row[0] for row in rows(warehouse)] == [1, 2, 3]
    names = ["dropped rows", "null-rate of email", "freshness of at", "sql check 1"]
    assert [check["check"] for check in result.details["checks"]][-4:] == names
    assert all(check["success"] for check in result.details["checks"])


def test_a_check_that_only_warns_is_told_and_the_rows_are_loaded(warehouse: Any, load: Any, tmp_path: Path) -> None:
    result = load(check_nulls=["email"], warn_checks=["nulls"], check_report=str(tmp_path / "r.json"))
    assert [row[0] for row in rows(warehouse)] == [1, 2, 3]
    outcomes = {check["name"]: check["outcome"] for check in json.loads((tmp_path / "r.json").read_text())["checks"]}
    assert outcomes["checks of orders null-rate of email"] == "warning"
    assert set(outcomes.values()) == {"passed", "warning"}
    assert result.details["checks"][-1]["success"] is False


def test_a_check_that_fails_is_in_the_report_too(load: Any, tmp_path: Path) -> None:
    with pytest.raises(CheckFailed):
        load(check_nulls=["email"], check_report=str(tmp_path / "r.json"))
    assert json.loads((tmp_path / "r.json").read_text())["outcome"] == "failed"


def test_a_report_that_cannot_be_written_does_not_undo_what_is_committed(warehouse: Any, load: Any) -> None:
    result = load(check_report="/nowhere/r.json")
    assert "/nowhere/r.json" in result.details["notification"]
    assert [row[0] for row in rows(warehouse)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"check_nulls": ["nothing"]}, ParameterError),
        ({"check_freshness": "nothing=1 day"}, ParameterError),
        ({"check_freshness": "email=1 day"}, ParameterError),
        ({"check_sql": ["SELECT nothing FROM {staging}"]}, (StatementFailed, ParameterError)),
        ({"check_nulls": ["email=x"]}, ValueError),
        ({"check_freshness": "at=soon"}, ValueError),
        ({"check_sql": ["SELECT 1; SELECT 2"]}, ValueError),
    ],
)
def test_checks_that_cannot_be_made_change_nothing(
    warehouse: Any, load: Any, options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        load(**options)
    assert rows(warehouse) == BEFORE
