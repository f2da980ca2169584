from __future__ import annotations

import threading
from typing import Any

import pytest

from core.errors import CheckFailed, LoadRejected, ParameterError, SchemaMismatch, StoreError

ENROLLMENTS = """CREATE TABLE enrollments (
  user_id BIGINT NOT NULL DISTKEY, course VARCHAR(20) NOT NULL, grade DECIMAL(5,2), updated_at TIMESTAMP,
  PRIMARY KEY (user_id, course)
) SORTKEY (updated_at)"""
COLUMNS = ("user_id", "course", "grade", "updated_at")
LOOSE = "CREATE TABLE loose (a INT, b INT, note VARCHAR(20))"


def enrollments(warehouse: Any) -> list[tuple[Any, ...]]:
    return warehouse.rows("SELECT user_id, course, grade::text, updated_at::text FROM enrollments ORDER BY 1, 2")


def upsert(warehouse: Any, manifest: str, **options: Any) -> Any:
    return warehouse.run("upsert", table_definition=ENROLLMENTS, input=[manifest], **options)


def test_new_rows_are_added_and_rows_with_a_known_key_are_replaced(warehouse: Any) -> None:
    day = "2026-01-02 03:04:05"
    upsert(warehouse, warehouse.put_extract("one", COLUMNS, [["1", "a", "1.5", day], ["1", "b", None, day]]))
    second = warehouse.put_extract("two", COLUMNS, [["1", "b", "2", day]], [["2", "a", "3", day]])
    result = upsert(warehouse, second)
    assert enrollments(warehouse) == [
        (1, "a", "1.50", day),
        (1, "b", "2.00", day),
        (2, "a", "3.00", day),
    ]
    expected = {"read": 2, "staged": 2, "duplicates_dropped": 0, "deleted": 1, "inserted": 2, "target_rows": 3}
    assert expected.items() <= result.details.items()
    assert [check["check"] for check in result.details["checks"]] == ["rows arrived", "row counts", "primary key"]
    assert all(check["success"] for check in result.details["checks"])
    assert warehouse.staging_tables() == []


def test_a_second_run_leaves_the_same_table(warehouse: Any) -> None:
    manifest = warehouse.put_extract("one", COLUMNS, [["1", "a", "1", None], ["1", "a", "2", None]])
    upsert(warehouse, manifest)
    before = enrollments(warehouse)
    upsert(warehouse, manifest)
    assert enrollments(warehouse) == before


def test_the_newest_of_several_rows_wins_and_ties_fall_to_the_greatest_values(warehouse: Any) -> None:
    old, new = "2026-01-01 00:00:00", "2026-02-01 00:00:00"
    rows = [["1", "a", "9", old], ["1", "a", "1", new], ["1", "a", "2", new], ["1", "a", "99", None]]
    for order in (rows, rows[::-1]):
        result = upsert(warehouse, warehouse.put_extract("one", COLUMNS, order), order_by="updated_at DESC")
        assert enrollments(warehouse) == [(1, "a", "2.00", new)]
        assert result.details["duplicates_dropped"] == 3


def test_the_order_may_be_turned_round(warehouse: Any) -> None:
    rows = [["1", "a", "9", "2026-01-01 00:00:00"], ["1", "a", "1", "2026-02-01 00:00:00"], ["1", "a", "3", None]]
    manifest = warehouse.put_extract("one", COLUMNS, rows)
    upsert(warehouse, manifest, order_by="updated_at")
    assert enrollments(warehouse)[0][2] == "9.00"
    upsert(warehouse, manifest, order_by="updated_at ASC NULLS FIRST")
    assert enrollments(warehouse)[0][2] == "3.00"


def test_null_in_a_key_is_refused_by_default(warehouse: Any) -> None:
    manifest = warehouse.put_extract("loose", ("a", "b", "note"), [["1", None, "x"]])
    with pytest.raises(CheckFailed, match="1 of 1 staged rows for loose have NULL in a, b"):
        warehouse.run("upsert", table_definition=LOOSE, input=[manifest], keys=["a", "b"])


def test_null_in_a_key_can_match_null(warehouse: Any) -> None:
    options = {"table_definition": LOOSE, "keys": ["a", "b"], "null_keys": "match"}
    rows = [["1", None, "x"], [None, None, "y"], ["1", None, "w"], ["1", "1", "z"]]
    warehouse.run("upsert", input=[warehouse.put_extract("one", ("a", "b", "note"), rows)], **options)
    again = [["1", None, "new"], [None, None, "new"]]
    result = warehouse.run("upsert", input=[warehouse.put_extract("two", ("a", "b", "note"), again)], **options)
    assert sorted(warehouse.rows("SELECT a, b, note FROM loose"), key=str) == sorted(
        [(1, None, "new"), (None, None, "new"), (1, 1, "z")], key=str
    )
    assert {"null_keys": 2, "deleted": 2, "inserted": 2, "target_rows": 3}.items() <= result.details.items()


def test_rows_with_null_in_a_key_can_be_left_out(warehouse: Any) -> None:
    manifest = warehouse.put_extract("one", ("a", "b", "note"), [["1", None, "x"], ["1", "1", "z"]])
    result = warehouse.run("upsert", table_definition=LOOSE, input=[manifest], keys=["a", "b"], null_keys="drop")
    assert warehouse.rows("SELECT note FROM loose") == [("z",)]
    assert {"dropped_null_keys": 1, "inserted": 1}.items() <= result.details.items()


def test_rows_with_null_in_a_primary_key_can_be_left_out_too(warehouse: Any) -> None:
    rows = [["1", None, "1", None], [None, "a", "1", None], ["1", "a", "1", None]]
    for _ in range(2):
        result = upsert(warehouse, warehouse.put_extract("one", COLUMNS, rows), null_keys="drop")
        assert [row[:2] for row in enrollments(warehouse)] == [(1, "a")]
        assert {"dropped_null_keys": 2, "inserted": 1}.items() <= result.details.items()


def test_a_reload_replaces_all_rows(warehouse: Any) -> None:
    upsert(warehouse, warehouse.put_extract("one", COLUMNS, [["1", "a", "1", None], ["2", "b", "1", None]]))
    result = upsert(warehouse, warehouse.put_extract("two", COLUMNS, [["3", "c", "1", None]]), delete_existing=True)
    assert [row[0] for row in enrollments(warehouse)] == [3]
    assert {"deleted": 2, "inserted": 1, "target_rows": 1}.items() <= result.details.items()


def test_rows_of_a_query_in_the_warehouse_go_where_their_names_say(warehouse: Any) -> None:
    query = "SELECT 7 AS grade, 'a' AS course, 5 AS user_id, NULL::timestamp AS updated_at -- the end"
    result = warehouse.run("upsert", table_definition=ENROLLMENTS, source_sql=query)
    assert enrollments(warehouse) == [(5, "a", "7.00", None)]
    assert result.details["read"] == 1


def test_rows_of_a_table_in_the_warehouse_are_taken(warehouse: Any) -> None:
    warehouse.rows("CREATE TABLE fresh (course VARCHAR(20), user_id BIGINT, updated_at TIMESTAMP, grade DECIMAL(5,2))")
    warehouse.rows("INSERT INTO fresh VALUES ('a', 1, NULL, 2)")
    warehouse.run("upsert", table_definition=ENROLLMENTS, source_table="fresh")
    assert enrollments(warehouse) == [(1, "a", "2.00", None)]


def test_a_refused_row_leaves_the_former_rows(warehouse: Any) -> None:
    upsert(warehouse, warehouse.put_extract("one", COLUMNS, [["1", "a", "1", None]]))
    bad = warehouse.put_extract("bad", COLUMNS, [["1", "a", "2", None], ["2", "b", "not-a-number", None]])
    with pytest.raises(LoadRejected) as caught:
        upsert(warehouse, bad)
    assert "bad/part-0000.tsv.gz line 2" in str(caught.value)
    assert "grade" in str(caught.value)
    assert "not-a-number" not in str(caught.value)
    assert enrollments(warehouse) == [(1, "a", "1.00", None)]
    assert warehouse.staging_tables() == []


def test_an_extract_that_counted_more_rows_than_its_files_hold_fails(warehouse: Any) -> None:
    manifest = warehouse.put_extract("one", COLUMNS, [["1", "a", "1", None]], rows=5)
    with pytest.raises(CheckFailed, match="5 in source, 1 in files"):
        upsert(warehouse, manifest)
    assert warehouse.rows("SELECT relname FROM pg_class WHERE relname = 'enrollments'") == []
    upsert(warehouse, manifest, tolerance=80)
    assert len(enrollments(warehouse)) == 1


def test_a_table_whose_keys_are_broken_already_is_mended_for_the_staged_keys(warehouse: Any) -> None:
    upsert(warehouse, warehouse.put_extract("one", COLUMNS, [["1", "a", "1", None]]))
    warehouse.rows("INSERT INTO enrollments VALUES (1, 'a', 5, NULL)")
    result = upsert(warehouse, warehouse.put_extract("two", COLUMNS, [["1", "a", "2", None]]))
    assert enrollments(warehouse) == [(1, "a", "2.00", None)]
    assert result.details["deleted"] == 2


def test_two_upserts_at_once_both_arrive(warehouse: Any) -> None:
    upsert(warehouse, warehouse.put_extract("zero", COLUMNS, [["0", "a", "0", None]]))
    manifests = [
        warehouse.put_extract(name, COLUMNS, [[str(n), "a", str(len(name)), None] for n in range(first, first + 60)])
        for name, first in (("left", 0), ("right", 30))
    ]
    failures: list[BaseException] = []

    def work(manifest: str) -> None:
        try:
            upsert(warehouse, manifest)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(manifest,), name="upsert") for manifest in manifests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert warehouse.rows("SELECT COUNT(*), COUNT(DISTINCT user_id) FROM enrollments") == [(90, 90)]


def test_two_first_upserts_at_once_both_arrive(warehouse: Any) -> None:
    manifests = [
        warehouse.put_extract(name, COLUMNS, [[str(number), "a", "1", None]]) for number, name in enumerate("ab")
    ]
    failures: list[BaseException] = []
    together = threading.Barrier(2)

    def work(manifest: str) -> None:
        try:
            together.wait()
            upsert(warehouse, manifest)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(manifest,), name="upsert") for manifest in manifests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [row[0] for row in enrollments(warehouse)] == [0, 1]


def test_a_cancelled_upsert_changes_nothing(warehouse: Any) -> None:
    upsert(warehouse, warehouse.put_extract("one", COLUMNS, [["1", "a", "1", None]]))
    warehouse.reporter.at["check"] = warehouse.cancelled.set
    with pytest.raises(InterruptedError):
        upsert(warehouse, warehouse.put_extract("two", COLUMNS, [["1", "a", "2", None]]))
    assert enrollments(warehouse) == [(1, "a", "1.00", None)]
    assert warehouse.staging_tables() == []


def test_a_table_without_a_key_is_refused_before_anything_is_read(warehouse: Any) -> None:
    with pytest.raises(ParameterError, match="no primary key"):
        warehouse.run("upsert", table_definition=LOOSE, source_sql="SELECT 1")


def test_a_target_that_is_not_as_defined_is_refused(warehouse: Any) -> None:
    warehouse.rows("CREATE TABLE enrollments (user_id BIGINT NOT NULL, course VARCHAR(10))")
    manifest = warehouse.put_extract("one", COLUMNS, [["1", "a", "1", None]])
    with pytest.raises(SchemaMismatch, match=r"character varying\(10\), defined as character varying\(20\)"):
        upsert(warehouse, manifest)


def test_a_missing_file_of_the_manifest_is_named(warehouse: Any) -> None:
    manifest = warehouse.put_extract("one", COLUMNS, [["1", "a", "1", None]])
    warehouse.s3.delete_object(Bucket=warehouse.bucket, Key="one/part-0000.tsv.gz")
    with pytest.raises(StoreError):
        upsert(warehouse, manifest)


def test_the_staging_table_has_the_keys_of_the_target(warehouse: Any) -> None:
    seen: list[Any] = []
    upsert(warehouse, warehouse.put_extract("one", COLUMNS, [["1", "a", "1", None]]))
    from steps_impl.load.staging import create_staging
    from steps_impl.tables.model import TableName
    from steps_impl.tables.parser import parse_table
    from stores.redshift import Statement, connect

    table = parse_table(ENROLLMENTS)
    with connect(warehouse.settings) as session:
        session.execute(create_staging(TableName("stg_x"), table, COLUMNS, exists=True))
        query = """SELECT "column", distkey, sortkey, "notnull" FROM pg_table_def WHERE tablename = %s"""
        seen = session.rows(Statement(query, "look", ("stg_x",)))
    assert ("user_id", True, 0, True) in seen
    assert ("updated_at", False, 1, False) in seen
