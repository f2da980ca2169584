"""The ways in which rows come into a table, and the sources that they come from."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from core.errors import CheckFailed, NotFound, ParameterError, SchemaMismatch, TransactionConflict

TABLE = "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, note VARCHAR(20), extra VARCHAR(20) DEFAULT 'none')"
LOOSE = "CREATE TABLE loose (a INT, b VARCHAR(9), note VARCHAR(20))"


def rows(warehouse: Any, sql: str = "SELECT id, note, extra FROM t ORDER BY id") -> list[tuple[Any, ...]]:
    return warehouse.rows(sql)


@pytest.fixture
def filled(warehouse: Any) -> Any:
    warehouse.rows(TABLE)
    warehouse.rows("INSERT INTO t VALUES (1, 'one', 'kept'), (2, 'two', 'kept')")
    return warehouse


def upsert(warehouse: Any, sql: str, **options: Any) -> Any:
    return warehouse.run("upsert", **{"table_definition": TABLE, "source_sql": sql, **options})


TWO_AND_THREE = "SELECT 2 AS id, 'new' AS note UNION ALL SELECT 3, 'new' UNION ALL SELECT 3, 'a loser'"


@pytest.mark.parametrize("stage_before_lock", [False, True])
@pytest.mark.parametrize(
    ("mode", "second", "counts"),
    [
        ("delete-insert", (2, "new", "none"), {"deleted": 1, "updated": 0, "inserted": 2}),
        ("merge", (2, "new", "kept"), {"deleted": 0, "updated": 1, "inserted": 1}),
        ("append", (2, "two", "kept"), {"deleted": 0, "updated": 0, "inserted": 1}),
    ],
)
def test_each_mode_treats_a_known_key_its_own_way_and_a_second_run_changes_nothing(
    filled: Any, mode: str, second: Any, counts: Any, stage_before_lock: bool
) -> None:
    options = {"mode": mode, "stage_before_lock": stage_before_lock}
    result = upsert(filled, TWO_AND_THREE, **options)
    expected = [(1, "one", "kept"), second, (3, "new", "none")]
    assert rows(filled) == expected
    assert {**counts, "duplicates_dropped": 1, "target_rows": 3}.items() <= result.details.items()
    upsert(filled, TWO_AND_THREE, **options)
    assert rows(filled) == expected
    assert filled.staging_tables() == []


@pytest.mark.parametrize("mode", ["delete-insert", "merge", "append"])
def test_null_equals_null_in_every_mode_when_it_is_to_match(warehouse: Any, mode: str) -> None:
    source = "SELECT 1 AS a, CAST(NULL AS VARCHAR) AS b, 'x' AS note UNION ALL SELECT NULL, '', 'y'"
    options = {"table_definition": LOOSE, "keys": ["a", "b"], "null_keys": "match", "mode": mode}
    for _ in range(2):
        warehouse.run("upsert", source_sql=source, **options)
    found = rows(warehouse, "SELECT a, b, note FROM loose ORDER BY note")
    assert found == [(1, None, "x"), (None, "", "y")]
    more = "SELECT 0 AS a, CAST(NULL AS VARCHAR) AS b, 'z' AS note UNION ALL SELECT 1, '', 'w'"
    warehouse.run("upsert", source_sql=more, **options)  # the stand-ins for NULL are values, too: they stay apart
    assert len(rows(warehouse, "SELECT a FROM loose")) == 4


@pytest.mark.parametrize("mode", ["merge", "append"])
def test_a_table_that_holds_a_staged_key_twice_is_refused_where_rows_are_kept(filled: Any, mode: str) -> None:
    filled.rows("INSERT INTO t VALUES (2, 'again', 'kept')")
    before = rows(filled)
    with pytest.raises(CheckFailed, match="primary key of t FAILED: 1 rows too many or too few for 2 keys"):
        upsert(filled, TWO_AND_THREE, mode=mode)
    assert sorted(rows(filled)) == sorted(before)


def test_a_table_of_keys_alone_is_merged(warehouse: Any) -> None:
    definition = "CREATE TABLE pairs (a INT, b INT, PRIMARY KEY (a, b))"
    for _ in range(2):
        warehouse.run("upsert", table_definition=definition, source_sql="SELECT 1 AS a, 2 AS b", mode="merge")
    assert rows(warehouse, "SELECT a, b FROM pairs") == [(1, 2)]


def test_without_enforcing_the_key_every_row_comes_in(filled: Any) -> None:
    result = upsert(filled, TWO_AND_THREE, enforce_primary_key=False)
    assert [row[:2] for row in rows(filled, "SELECT id, note FROM t ORDER BY id, note")] == [
        (1, "one"),
        (2, "new"),
        (3, "a loser"),
        (3, "new"),
    ]
    assert {"duplicates_dropped": 0, "inserted": 3}.items() <= result.details.items()


def test_a_condition_chooses_rows_with_and_without_its_where(filled: Any) -> None:
    for clause in ("WHERE id > 2 -- the rest", "source.id > 2 OR 1 = 0"):
        result = upsert(filled, TWO_AND_THREE, filter_clause=clause)
        assert result.details["staged"] == 2
    assert [row[0] for row in rows(filled)] == [1, 2, 3]


def test_a_query_may_come_from_a_file_or_from_s3(filled: Any, tmp_path: Path) -> None:
    script = tmp_path / "query.sql"
    script.write_text("SELECT 7 AS id, 'from a file' AS note; -- the end\n")
    upsert(filled, "", source_sql=None, source_script=str(script))
    upsert(filled, "", source_sql=None, source_script=filled.put("q.sql", b"SELECT 8 AS id, 'from s3' AS note"))
    assert [row[:2] for row in rows(filled)][2:] == [(7, "from a file"), (8, "from s3")]
    with pytest.raises(NotFound, match="missing"):
        upsert(filled, "", source_sql=None, source_script="missing.sql")
    script.write_text("SELECT 1; SELECT 2")
    with pytest.raises(ParameterError, match="one query"):
        upsert(filled, "", source_sql=None, source_script=str(script))


def test_a_source_may_have_fewer_columns_and_not_more(filled: Any) -> None:
    upsert(filled, "SELECT 5 AS id")
    assert rows(filled)[-1] == (5, None, "none")
    with pytest.raises(SchemaMismatch, match="the source has 'other'"):
        upsert(filled, "SELECT 5 AS id, 1 AS other")
    with pytest.raises(SchemaMismatch, match="'id' may not be NULL and is not in the source"):
        upsert(filled, "SELECT 'x' AS note")


def test_identity_and_default_columns_fill_themselves(warehouse: Any) -> None:
    definition = (
        "CREATE TABLE people (n BIGINT IDENTITY(1,1), code CHAR(10) NOT NULL, born DATE DEFAULT '2000-01-01', "
        "note VARCHAR(9), PRIMARY KEY (code))"
    )
    source = "SELECT 'ab' AS code, 'x' AS note"
    for mode in ("merge", "delete-insert"):
        warehouse.run("upsert", table_definition=definition, source_sql=source, mode=mode)
    found = rows(warehouse, "SELECT code, born::text, note, n IS NOT NULL FROM people")
    assert found == [("ab        ", "2000-01-01", "x", True)]


def test_a_reload_replaces_all_rows_and_a_second_one_changes_nothing(filled: Any) -> None:
    for _ in range(2):
        result = filled.run("reload", table_definition=TABLE, source_sql=TWO_AND_THREE)
        assert rows(filled) == [(2, "new", "none"), (3, "new", "none")]
    assert {"deleted": 2, "inserted": 2, "duplicates_dropped": 1, "target_rows": 2}.items() <= result.details.items()
    assert [check["check"] for check in result.details["checks"]] == ["row counts", "primary key"]


def test_a_reload_from_nothing_is_refused_unless_it_is_meant(filled: Any) -> None:
    nothing = {"table_definition": TABLE, "source_sql": "SELECT 1 AS id WHERE 1 = 0"}
    with pytest.raises(CheckFailed, match="all 2 of the target would be deleted; if that is meant, add --allow-empty"):
        filled.run("reload", **nothing)
    assert len(rows(filled)) == 2
    filled.run("reload", allow_empty=True, **nothing)
    assert rows(filled) == []


def test_a_table_without_a_key_is_reloaded_when_every_row_is_to_come(warehouse: Any) -> None:
    source = {"table_definition": LOOSE, "source_sql": "SELECT 1 AS a UNION ALL SELECT 1"}
    with pytest.raises(ParameterError, match="--no-enforce-primary-key"):
        warehouse.run("reload", **source)
    for _ in range(2):
        warehouse.run("reload", enforce_primary_key=False, **source)
    assert rows(warehouse, "SELECT a FROM loose") == [(1,), (1,)]


@pytest.mark.parametrize("kind", ["DATE", "TIMESTAMP", "TIMESTAMPTZ"])
@pytest.mark.parametrize("stage_before_lock", [False, True])
def test_a_delta_load_takes_rows_from_the_latest_date_less_its_window(
    warehouse: Any, kind: str, stage_before_lock: bool
) -> None:
    definition = f"CREATE TABLE events (id INT NOT NULL PRIMARY KEY, d {kind}, note VARCHAR(9))"
    warehouse.rows(f"CREATE TABLE raw (id INT, d {kind}, note VARCHAR(9))")
    warehouse.rows("INSERT INTO raw VALUES (1, '2026-01-01', 'a'), (2, '2026-01-09', 'a'), (3, NULL, 'a')")
    options = {"table_definition": definition, "source_table": "raw", "date_column": "D", "window": 3}
    options["stage_before_lock"] = stage_before_lock
    warehouse.run("delta-load", **options)
    assert rows(warehouse, "SELECT id, note FROM events ORDER BY id")[:2] == [(1, "a"), (2, "a")]
    warehouse.rows("UPDATE raw SET note = 'b'")
    warehouse.rows("INSERT INTO raw VALUES (4, '2026-01-06', 'b'), (5, '2026-01-05', 'late')")
    result = warehouse.run("delta-load", **options)
    assert result.details["staged"] == 2
    found = rows(warehouse, "SELECT id, note FROM events WHERE d IS NOT NULL ORDER BY id")
    assert found == [(1, "a"), (2, "b"), (4, "b")]
    assert warehouse.run("delta-load", undated=True, **options).details["staged"] == 3


def test_a_window_needs_a_column_that_is_a_date(filled: Any) -> None:
    with pytest.raises(ParameterError, match="'note' is character varying"):
        filled.run("delta-load", table_definition=TABLE, source_sql=TWO_AND_THREE, date_column="note")
    with pytest.raises(ParameterError, match="'when' is not a column that is loaded into t"):
        filled.run("delta-load", table_definition=TABLE, source_sql=TWO_AND_THREE, date_column="when")


@pytest.mark.parametrize("stage_before_lock", [False, True])
@pytest.mark.parametrize("phase", ["stage", "exchange", "check", "history"])
def test_a_conflict_in_any_phase_starts_all_over(filled: Any, phase: str, stage_before_lock: bool) -> None:
    def conflict() -> None:
        raise TransactionConflict("1023 Serializable isolation violation")

    filled.reporter.at[phase] = conflict
    history = "CREATE TABLE h (effective_ts TIMESTAMP, expiration_ts TIMESTAMP, id INT, note VARCHAR(20))"
    options = {"history": history, "history_ignore": ["extra"], "stage_before_lock": stage_before_lock}
    result = upsert(filled, TWO_AND_THREE, **options)
    assert result.details["attempts"] == 2
    assert rows(filled) == [(1, "one", "kept"), (2, "new", "none"), (3, "new", "none")]
    assert rows(filled, "SELECT COUNT(*), COUNT(DISTINCT id) FROM h") == [(3, 3)]
    assert filled.staging_tables() == []


@pytest.mark.parametrize("mode", ["merge", "append"])
def test_two_at_once_both_arrive(filled: Any, mode: str) -> None:
    failures: list[BaseException] = []

    def work(first: int) -> None:
        try:
            upsert(filled, f"SELECT n AS id, 'x' AS note FROM generate_series({first}, {first + 60}) AS n", mode=mode)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(first,), name="upsert") for first in (1, 40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert rows(filled, "SELECT COUNT(*), COUNT(DISTINCT id) FROM t") == [(100, 100)]
