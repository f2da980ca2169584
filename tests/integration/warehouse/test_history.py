"""The former states of a table's rows: a slowly changing dimension of type 2."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import CheckFailed, NotFound, SchemaMismatch

TABLE = "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, note VARCHAR(20), n NUMERIC(38,4), seen TIMESTAMP)"
HISTORY = """CREATE TABLE t_history (
  effective_ts TIMESTAMP NOT NULL, expiration_ts TIMESTAMP NOT NULL,
  n NUMERIC(38,4), note VARCHAR(20), id INT NOT NULL, seen TIMESTAMP
) SORTKEY (id)"""
NEVER = "9999-12-31 23:59:59.999999"


def values(*rows: tuple[Any, ...]) -> str:
    def written(value: Any) -> str:
        return "NULL" if value is None else f"'{value}'"

    kinds = {"id": "INT", "note": "VARCHAR(20)", "n": "NUMERIC(38,4)"}
    selected = [
        "SELECT "
        + ", ".join(f"CAST({written(v)} AS {kinds[name]}) AS {name}" for name, v in zip(kinds, row, strict=True))
        for row in rows
    ]
    return " UNION ALL ".join(selected)


def reload(warehouse: Any, *rows: tuple[Any, ...], **options: Any) -> Any:
    chosen = {"table_definition": TABLE, "source_sql": values(*rows), "history": HISTORY, **options}
    return warehouse.run("reload", **chosen).details["history"]


def versions(warehouse: Any) -> list[tuple[Any, ...]]:
    return warehouse.rows(
        f"SELECT id, note, n::text, expiration_ts = '{NEVER}' FROM t_history ORDER BY id, effective_ts"
    )


def test_each_change_of_a_row_makes_a_version_and_a_second_run_none(warehouse: Any) -> None:
    first = reload(warehouse, (1, "a", 1), (2, None, 2), (3, "c", None))
    assert {"changed": 0, "vanished": 0, "opened": 3, "current": 3}.items() <= first.items()
    rows = ((1, "a", 1), (2, "b", 2), (4, "d", 4))  # 2 changed from NULL, 3 went, 4 came
    second = reload(warehouse, *rows)
    assert {"changed": 1, "vanished": 1, "opened": 2, "current": 3}.items() <= second.items()
    expected = [
        (1, "a", "1.0000", True),
        (2, None, "2.0000", False),
        (2, "b", "2.0000", True),
        (3, "c", None, False),
        (4, "d", "4.0000", True),
    ]
    assert versions(warehouse) == expected
    again = reload(warehouse, *rows)
    assert {"changed": 0, "vanished": 0, "opened": 0, "current": 3}.items() <= again.items()
    assert versions(warehouse) == expected


def test_a_row_that_comes_back_has_a_new_version_beside_its_former_one(warehouse: Any) -> None:
    reload(warehouse, (1, "a", 1), (2, "b", 2))
    reload(warehouse, (1, "a", 1))
    reload(warehouse, (1, "a", 1), (2, "b", 2))
    assert [row for row in versions(warehouse) if row[0] == 2] == [
        (2, "b", "2.0000", False),
        (2, "b", "2.0000", True),
    ]


def test_the_versions_of_a_row_follow_one_another_without_gap_or_overlap(warehouse: Any) -> None:
    for note in ("a", "b", None, "c"):
        reload(warehouse, (1, note, 1))
    steps = warehouse.rows(
        "SELECT effective_ts - LAG(expiration_ts) OVER (ORDER BY effective_ts) = INTERVAL '1 microsecond', "
        "effective_ts <= expiration_ts FROM t_history"
    )
    assert [fits for _, fits in steps] == [True] * 4
    assert [fits for fits, _ in steps if fits is not None] == [True] * 3


def test_a_clock_that_went_back_makes_no_version_that_ends_before_it_began(warehouse: Any) -> None:
    reload(warehouse, (1, "a", 1))
    warehouse.rows("UPDATE t_history SET effective_ts = '2126-01-01'")
    reload(warehouse, (1, "b", 1))
    found = warehouse.rows("SELECT note, effective_ts::text, expiration_ts::text FROM t_history ORDER BY note")
    assert found == [
        ("a", "2126-01-01 00:00:00", "2126-01-01 00:00:00"),
        ("b", "2126-01-01 00:00:00.000001", NEVER),
    ]


def test_texts_that_look_like_null_are_told_from_it_and_from_one_another(warehouse: Any) -> None:
    for note in (None, "", "NULL", "\\N", "C:\\new", None):
        written = reload(warehouse, (1, note, None))
        assert written["opened"] == 1
    assert [row[1] for row in versions(warehouse)] == [None, "", "NULL", "\\N", "C:\\new", None]


def test_an_upsert_keeps_the_versions_of_rows_that_it_does_not_hold(warehouse: Any) -> None:
    options = {"table_definition": TABLE, "history": HISTORY}
    warehouse.run("upsert", source_sql=values((1, "a", 1), (2, "b", 2)), **options)
    counts = warehouse.run("upsert", source_sql=values((2, "x", 2), (3, "c", 3)), **options).details["history"]
    assert {"changed": 1, "vanished": 0, "opened": 2, "current": 3}.items() <= counts.items()


def test_a_failed_load_leaves_the_history_as_it_was(warehouse: Any) -> None:
    reload(warehouse, (1, "a", 1))
    before = versions(warehouse)
    warehouse.rows(f"INSERT INTO t_history VALUES (SYSDATE, '{NEVER}', 1, 'a', 1, NULL)")  # a second current version
    with pytest.raises(CheckFailed, match="had more than one of some row"):
        reload(warehouse, (1, "a", 1), (2, "b", 1))
    assert warehouse.rows("SELECT id FROM t") == [(1,)]
    assert len(versions(warehouse)) == len(before) + 1


def test_the_step_alone_records_what_others_changed(warehouse: Any) -> None:
    options = {"table_definition": TABLE, "history": HISTORY}
    with pytest.raises(NotFound, match="table t, whose states"):
        warehouse.run("history", **options)
    warehouse.rows(TABLE)
    warehouse.rows("INSERT INTO t VALUES (1, 'a', 1, SYSDATE), (2, 'b', 2, SYSDATE)")
    assert warehouse.run("history", **options).details["created"]
    warehouse.rows("UPDATE t SET note = 'x' WHERE id = 1")
    result = warehouse.run("history", **options)
    assert {"changed": 1, "opened": 1, "current": 2, "analyze": "done"}.items() <= result.details.items()
    assert warehouse.run("history", **options).rows == 0
    warehouse.rows("DELETE FROM t")
    with pytest.raises(CheckFailed, match="add --allow-empty"):
        warehouse.run("history", **options)
    assert warehouse.run("history", allow_empty=True, **options).details["vanished"] == 2


def test_a_column_may_change_without_a_new_version(warehouse: Any) -> None:
    warehouse.rows(TABLE)
    warehouse.rows("INSERT INTO t VALUES (1, 'a', 1, '2026-01-01')")
    options = {"table_definition": TABLE, "history": HISTORY, "history_ignore": ["Seen"]}
    warehouse.run("history", **options)
    warehouse.rows("UPDATE t SET seen = '2026-02-02'")
    assert warehouse.run("history", **options).rows == 0
    assert warehouse.rows("SELECT seen::date::text FROM t_history") == [("2026-01-01",)]


def test_keys_that_are_null_or_come_twice_are_refused(warehouse: Any) -> None:
    loose = {
        "table_definition": "CREATE TABLE loose (a INT, b INT)",
        "history": "CREATE TABLE h (effective_ts TIMESTAMP, expiration_ts TIMESTAMP, a INT, b INT)",
        "keys": ["a"],
    }
    warehouse.rows("CREATE TABLE loose (a INT, b INT)")
    warehouse.rows("INSERT INTO loose VALUES (NULL, 1), (2, 2)")
    with pytest.raises(CheckFailed, match="1 with NULL in a"):
        warehouse.run("history", **loose)
    for changed, opened in ((0, 2), (0, 0)):
        counts = warehouse.run("history", null_keys="match", **loose).details
        assert (counts["changed"], counts["opened"]) == (changed, opened)
    warehouse.rows("UPDATE loose SET b = 9 WHERE a IS NULL")
    assert warehouse.run("history", null_keys="match", **loose).details["changed"] == 1
    warehouse.rows("INSERT INTO loose VALUES (2, 3)")
    with pytest.raises(CheckFailed, match="1 rows with a key that comes twice"):
        warehouse.run("history", null_keys="match", **loose)


def test_what_the_warehouse_numbers_itself_makes_no_version(warehouse: Any) -> None:
    table = "CREATE TABLE p (n BIGINT IDENTITY(1,1), code CHAR(10) NOT NULL PRIMARY KEY, note VARCHAR(9))"
    history = (
        "CREATE TABLE p_h (h BIGINT IDENTITY(1,1), effective_ts TIMESTAMP, expiration_ts TIMESTAMP, n BIGINT, "
        "code CHAR(10), note VARCHAR(9), made DATE NOT NULL DEFAULT '2000-01-01')"
    )
    options = {"table_definition": table, "history": history, "source_sql": "SELECT 'ab' AS code, 'x' AS note"}
    for opened in (1, 0):  # the second upsert gives the row another number
        assert warehouse.run("upsert", **options).details["history"]["opened"] == opened
    assert warehouse.rows("SELECT code, note, made::text FROM p_h") == [("ab        ", "x", "2000-01-01")]


@pytest.mark.parametrize(
    ("history", "what"),
    [
        (HISTORY.replace("note VARCHAR(20), ", ""), "'note' is missing; add it, or name it in --history-ignore"),
        (HISTORY.replace("VARCHAR(20)", "VARCHAR(9)"), r"'note' is character varying\(9\), and .*\(20\) in the table"),
        (HISTORY.replace("expiration_ts TIMESTAMP", "expiration_ts DATE"), "'expiration_ts' TIMESTAMP is missing"),
        (HISTORY.replace("seen", "who INT NOT NULL, seen"), "'who' is NOT NULL and has no DEFAULT"),
    ],
)
def test_a_history_that_does_not_fit_is_refused_by_name(warehouse: Any, history: str, what: str) -> None:
    with pytest.raises(SchemaMismatch, match=what):
        reload(warehouse, (1, "a", 1), history=history)
