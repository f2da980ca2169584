from __future__ import annotations

import html
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from core.errors import CheckFailed, ParameterError, StatementFailed
from sandbox.parts.postgres import PostgresPart

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


HISTORY = (
    "CREATE TABLE h (effective_ts TIMESTAMP, expiration_ts TIMESTAMP, id INT, email VARCHAR(40), price DECIMAL(8,2), "
    "at TIMESTAMP)"
)
#: Two current versions of the row that is there.
TWICE = "INSERT INTO h SELECT '2000-01-01', '9999-12-31 23:59:59.999999', id, email, price, at FROM orders"
COUNTED = {"row counts": "passed", "primary key": "passed"}


@pytest.mark.parametrize(
    ("before", "options", "outcomes"),
    [
        ([], {"check_nulls": ["email"]}, {**COUNTED, "null-rate of email": "failed"}),
        ([], {"keys": ["email"]}, {"checks of orders": "failed"}),  # the only one so far: it needs no name of its own
        (
            [HISTORY, TWICE, TWICE],
            {"history": HISTORY, "history_ignore": ["email", "price", "at"]},
            {**COUNTED, "rows of the load": "failed"},
        ),
    ],
)
def test_the_report_and_the_log_rows_have_the_check_that_failed_and_those_before_it(
    warehouse: Any, load: Any, tmp_path: Path, before: list[str], options: dict[str, Any], outcomes: dict[str, str]
) -> None:
    for statement in before:
        warehouse.rows(statement)
    with pytest.raises(CheckFailed) as caught:
        load(check_report=str(tmp_path / "r"), check_log_to_s3=True, **options)
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["outcome"] == "failed"
    assert {check["name"].removeprefix("checks of orders "): check["outcome"] for check in report["checks"]} == outcomes
    [failed] = [check["finding"] for check in report["checks"] if check["outcome"] == "failed"]
    assert failed in str(caught.value)
    assert html.escape(failed) in (tmp_path / "r.html").read_text()
    assert sorted(logged(warehouse)) == sorted("1" if outcome == "passed" else "0" for outcome in outcomes.values())


def logged(warehouse: Any) -> list[str]:
    """The outcomes in Dataduct's log rows, 1 or 0."""
    found = warehouse.s3.list_objects_v2(Bucket=warehouse.bucket, Prefix="etl/qa/")["Contents"]
    bodies = [warehouse.s3.get_object(Bucket=warehouse.bucket, Key=item["Key"])["Body"].read() for item in found]
    return [body.decode().split("\t")[5] for body in bodies]


def test_rows_that_did_not_arrive_are_in_the_report(warehouse: Any, load: Any, tmp_path: Path) -> None:
    manifest = warehouse.put_extract("short", ("id", "email", "price", "at"), [["7", "x", "1", None]], rows=2)
    options = {"table_definition": TABLE, "input": [manifest], "check_report": str(tmp_path / "r.json")}
    with pytest.raises(CheckFailed, match="2 in source, 1 in files"):
        warehouse.run("upsert", **options)
    assert json.loads((tmp_path / "r.json").read_text())["checks"][0]["outcome"] == "failed"


@pytest.mark.parametrize("options", [{}, {"check_rows": False}])
def test_a_row_that_the_warehouse_loses_on_its_way_in_is_found_by_either_check(
    warehouse: Any, load: Any, postgres_server: PostgresPart, options: dict[str, Any]
) -> None:
    """Redshift has no triggers: one of the Postgres behind the front stands for a warehouse that goes wrong."""
    login = {**postgres_server.superuser.postgres_login, "dbname": warehouse.address.database}
    with closing(psycopg2.connect(**login)) as link, link, link.cursor() as cursor:
        cursor.execute("CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
        cursor.execute(
            "CREATE TRIGGER lose BEFORE INSERT ON orders FOR EACH ROW WHEN (NEW.id = 2) EXECUTE FUNCTION lose()"
        )
    try:
        with pytest.raises(CheckFailed, match="primary key" if options else "row counts"):
            load(**options)
        assert rows(warehouse) == BEFORE
    finally:
        with closing(psycopg2.connect(**login)) as link, link, link.cursor() as cursor:
            cursor.execute("DROP FUNCTION lose CASCADE")


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
        ({"check_sql": ["DELETE FROM {target}"], "warn_checks": ["sql"]}, StatementFailed),
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
