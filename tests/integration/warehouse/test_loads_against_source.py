from __future__ import annotations

from typing import Any

import pytest
import yaml

from core.errors import CheckFailed, ParameterError
from sandbox.parts.database import DatabaseAddress
from stores import mysql

TABLE = """CREATE TABLE events (
  user_id BIGINT NOT NULL, course VARCHAR(20) NOT NULL, event_id BIGINT, grade DECIMAL(5,2), note VARCHAR(100),
  PRIMARY KEY (user_id, course)
)"""
WITHOUT_KEY = TABLE.replace("note VARCHAR(100),\n  PRIMARY KEY (user_id, course)", "note VARCHAR(100)")
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


LOADS: dict[str, tuple[str, dict[str, Any]]] = {
    "create-load-redshift": ("create-load-redshift", {"table_definition": TABLE}),
    "load-redshift, TRUNCATE": ("load-redshift", {"table": "events"}),
    "load-redshift, APPEND": ("load-redshift", {"table": "events", "insert_mode": "APPEND", "load_id": "1"}),
    "load-redshift, OVERWRITE": ("load-redshift", {"table": "events", "insert_mode": "OVERWRITE_EXISTING"}),
    "load-reload-pk": (
        "load-reload-pk",
        {"staging_table_definition": TABLE.replace("events", "raw"), "production_table_definition": TABLE},
    ),
}


@pytest.mark.parametrize("load", LOADS)
def test_each_load_compares_what_it_wrote_and_undoes_it_where_it_differs(
    warehouse: Any, source: Any, load: str
) -> None:
    step, options = LOADS[load]
    kept = load.endswith(("APPEND", "OVERWRITE"))
    warehouse.rows(TABLE)
    warehouse.rows("INSERT INTO events VALUES (7, 'old', 7, NULL, NULL)")  # the source does not know it
    before = warehouse.rows("SELECT * FROM events")

    def run(rows: list[list[str | None]]) -> Any:
        manifest = warehouse.put_extract("events", COLUMNS, rows)
        compared = {"compare_host": "shop", "compare_table": "events", "compare_keys": ["event_id"]}
        return warehouse.run(step, input=[manifest], **options, **compared)

    with pytest.raises(CheckFailed, match="1 differ in note"):
        run([*ROWS[1:2], ["3", "2", "b", None, None]])
    assert warehouse.rows("SELECT * FROM events") == before
    result = run(ROWS[1:])
    sample = result.details["checks"][-1]
    assert {"check": "sample against source", "success": True, "different": 0, "compared": 2}.items() <= sample.items()
    assert warehouse.rows("SELECT COUNT(*) FROM events") == [(3 if kept else 2,)]


@pytest.mark.parametrize(
    ("step", "options", "message"),
    [
        ("load-redshift", {"table": "events", "insert_mode": "KEEP_EXISTING"}, "a mode that writes every row"),
        ("create-load-redshift", {"table_definition": TABLE, "mode": "append"}, "a mode that writes every row"),
        ("create-load-redshift", {"table_definition": WITHOUT_KEY}, "has no key"),
        ("create-load-redshift", {"table_definition": TABLE, "compare_keys": ["nothing"]}, "'nothing' is not a col"),
        ("create-load-redshift", {"table_definition": TABLE, "compare_host": "shoq"}, "no source 'shoq'"),
    ],
)
def test_a_load_whose_rows_cannot_be_compared_is_refused_before_anything_is_changed(
    warehouse: Any, source: Any, step: str, options: dict[str, Any], message: str
) -> None:
    warehouse.rows(TABLE)
    given = {"compare_host": "shop", "compare_table": "events", **options}
    with pytest.raises(ParameterError, match=message):
        warehouse.run(step, input=[warehouse.put_extract("events", COLUMNS, ROWS)], **given)
    assert warehouse.rows("SELECT COUNT(*) FROM events") == [(0,)]
