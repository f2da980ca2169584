from __future__ import annotations

from typing import Any

import pytest
import yaml

from core.errors import CheckFailed
from sandbox.parts.database import DatabaseAddress
from stores import mysql

TABLE = """CREATE TABLE events (
  user_id BIGINT NOT NULL, course VARCHAR(20) NOT NULL, event_id BIGINT, grade DECIMAL(5,2), note VARCHAR(100),
  PRIMARY KEY (user_id, course)
)"""
COLUMNS = ("event_id", "user_id", "course", "grade", "note")
ROWS = [["1", "1", "a", "1.5", "é\t\\"], ["2", "1", "a", "2.5", None], ["3", "2", "b", None, ""]]


@pytest.fixture
def source(warehouse: Any, mysql_database: DatabaseAddress) -> mysql.Connection:
    """The MySQL table of which the files are an extract."""
    address = mysql_database
    document = yaml.safe_load(warehouse.config.read_text())
    document["mysql"] = {
        "shop": {
            "host": address.host,
            "port": address.port,
            "username": address.username,
            "password": f"file:{address.password_file}",
            "database": address.database,
        }
    }
    warehouse.config.write_text(yaml.safe_dump(document))
    from core.settings import load_settings

    connection = mysql.connect(load_settings(warehouse.config).mysql["shop"])
    connection.rows(
        "CREATE TABLE events (event_id BIGINT PRIMARY KEY, user_id BIGINT, course VARCHAR(20), grade DECIMAL(6,3), "
        "note TEXT) CHARACTER SET utf8mb4"
    )
    connection.rows(
        "INSERT INTO events VALUES (1, 1, 'a', 1.5, 'é\\t\\\\'), (2, 1, 'a', 2.5, NULL), (3, 2, 'b', NULL, '')"
    )
    connection.rows("COMMIT")
    yield connection
    connection.close()


def upsert(warehouse: Any, rows: list[list[str | None]], **options: Any) -> Any:
    return warehouse.run(
        "upsert",
        table_definition=TABLE,
        input=[warehouse.put_extract("events", COLUMNS, rows)],
        order_by="event_id DESC",
        compare_host="shop",
        compare_table="events",
        compare_keys=["event_id"],
        **options,
    )


def test_a_sample_that_agrees_with_the_source_passes(warehouse: Any, source: Any) -> None:
    result = upsert(warehouse, ROWS)
    sample = result.details["checks"][-1]
    assert {"check": "sample against source", "success": True, "different": 0, "compared": 2}.items() <= sample.items()
    assert warehouse.rows("SELECT COUNT(*) FROM events") == [(2,)]


def test_a_value_that_differs_from_the_source_rolls_everything_back(warehouse: Any, source: Any) -> None:
    wrong = [*ROWS[:2], ["3", "2", "b", None, None]]
    with pytest.raises(CheckFailed) as caught:
        upsert(warehouse, wrong)
    assert "1 differ in note" in str(caught.value)
    assert warehouse.rows("SELECT relname FROM pg_class WHERE relname = 'events'") == []


def test_a_row_that_the_source_does_not_have_rolls_everything_back(warehouse: Any, source: Any) -> None:
    upsert(warehouse, ROWS)
    with pytest.raises(CheckFailed, match="1 not in the source"):
        upsert(warehouse, [["9", "9", "z", None, None]])
    assert warehouse.rows("SELECT COUNT(*) FROM events") == [(2,)]


def test_a_difference_within_the_tolerance_passes(warehouse: Any, source: Any) -> None:
    wrong = [*ROWS[:2], ["3", "2", "b", None, None]]
    assert upsert(warehouse, wrong, tolerance=50).rows == 2
