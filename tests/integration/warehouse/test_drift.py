"""A table in the warehouse that is not the table of the definition."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from core.errors import LoadRejected, SchemaMismatch

THERE = "CREATE TABLE t (id BIGINT NOT NULL, note VARCHAR(3), PRIMARY KEY (id))"
WIDER = "CREATE TABLE t (id BIGINT NOT NULL, note VARCHAR(9), n INT DEFAULT 7 NOT NULL, d DATE, PRIMARY KEY (id))"


@pytest.fixture
def loaded(warehouse: Any) -> Any:
    warehouse.rows(THERE)
    warehouse.rows("INSERT INTO t VALUES (1, 'old'), (2, 'old')")
    return warehouse


def manifest(warehouse: Any, *rows: list[str | None]) -> str:
    return str(warehouse.put_extract("in", ("id", "note", "n", "d"), list(rows)))


@pytest.mark.parametrize("step", ["create-load-redshift", "upsert"])
def test_columns_are_added_and_widened_before_the_load(loaded: Any, step: str) -> None:
    given = {"table_definition": WIDER, "input": [manifest(loaded, ["2", "new long", "1", "2020-01-02"])]}
    result = loaded.run(step, **given, on_drift=["add-columns", "widen"])
    assert result.details["altered"] == [
        "widen column 'note' of t to character varying(9)",
        "add column 'n' to t",
        "add column 'd' to t",
    ]
    kept = [(1, "old", 7, None)] if step == "upsert" else []
    assert loaded.rows("SELECT id, note, n, d::text FROM t ORDER BY id") == [*kept, (2, "new long", 1, "2020-01-02")]
    assert loaded.run(step, **given).details["altered"] == [], "the next run finds the table as defined"


def test_what_no_policy_mends_is_listed_and_nothing_is_changed(loaded: Any) -> None:
    other = "CREATE TABLE t (id INT NOT NULL, more INT, note VARCHAR(9), d DATE)"
    with pytest.raises(SchemaMismatch) as caught:
        loaded.run("upsert", table_definition=other, source_sql="SELECT 1 AS id", keys=["id"], on_drift=["add-columns"])
    message = str(caught.value)
    assert "column 'more' is missing, and cannot be added at place 2" in message
    assert "column 'id' is bigint, defined as integer" in message
    assert "column 'note' is character varying(3), defined as character varying(9)" in message
    assert len(loaded.rows("SELECT column_name FROM svv_columns WHERE table_name = 't'")) == 2
    assert loaded.rows("SELECT COUNT(*) FROM t") == [(2,)]


def test_further_columns_of_the_table_can_be_left_alone(loaded: Any) -> None:
    loaded.rows("ALTER TABLE t ADD COLUMN mine VARCHAR(5) DEFAULT 'm' NOT NULL")
    given = {"table_definition": THERE, "input": [loaded.put_extract("in", ("id", "note"), [["2", "new"], ["3", "x"]])]}
    with pytest.raises(SchemaMismatch, match="'mine' is not in the definition"):
        loaded.run("upsert", **given)
    loaded.run("upsert", **given, on_drift=["keep-extra"])
    assert loaded.rows("SELECT id, note, mine FROM t ORDER BY id") == [
        (1, "old", "m"),
        (2, "new", "m"),
        (3, "x", "m"),
    ]


def test_a_load_that_fails_after_the_change_leaves_the_rows(loaded: Any) -> None:
    bad = manifest(loaded, ["x", "n", "1", None])
    with pytest.raises(LoadRejected):
        loaded.run("create-load-redshift", table_definition=WIDER, input=[bad], on_drift=["add-columns", "widen"])
    assert loaded.rows("SELECT id, note, n, d FROM t ORDER BY id") == [(1, "old", 7, None), (2, "old", 7, None)]


def test_a_change_that_another_load_makes_first_is_taken_as_made(loaded: Any) -> None:
    other = loaded.connect()
    other.autocommit = False
    with other.cursor() as cursor:
        cursor.execute("ALTER TABLE t ADD COLUMN d DATE")
        table = "CREATE TABLE t (id BIGINT NOT NULL, note VARCHAR(3), d DATE)"
        run = threading.Thread(
            target=loaded.run,
            args=("create-load-redshift",),
            kwargs={
                "table_definition": table,
                "input": [loaded.put_extract("in", ("id", "note", "d"), [["5", "a", None]])],
                "on_drift": ["add-columns"],
            },
        )
        run.start()
        waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        while not loaded.rows(waiting):
            pass
        other.commit()
    other.close()
    run.join()
    assert loaded.rows("SELECT id, note, d FROM t") == [(5, "a", None)]


def test_a_table_with_super_and_varbyte_is_as_defined_when_the_step_comes_again(warehouse: Any) -> None:
    table = "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, doc SUPER, mark VARBYTE(20), large VARBYTE)"
    for number in (1, 2):
        where = warehouse.put_extract("in", ("id", "doc", "mark", "large"), [["1", f'{{"n": {number}}}', "00ff", "61"]])
        assert warehouse.run("upsert", table_definition=table, input=[where]).details["altered"] == []
    found = warehouse.rows("SELECT id, doc, mark FROM t")  # SUPER reaches a client as text
    assert [(number, json.loads(doc), bytes(mark)) for number, doc, mark in found] == [(1, {"n": 2}, b"\x00\xff")]
