from __future__ import annotations

from typing import Any

import pytest

from core.errors import CheckFailed, LoadRejected, NotFound, SchemaMismatch

USERS = """CREATE TABLE users (
  id BIGINT NOT NULL DISTKEY, name VARCHAR(20), born DATE, PRIMARY KEY (id)
) SORTKEY (id)"""
COLUMNS = ("id", "name", "born")


def test_a_missing_table_is_created_and_filled_from_a_manifest(warehouse: Any) -> None:
    manifest = warehouse.put_extract("users", COLUMNS, [["1", "a", "2020-01-02"]], [["2", None, None], ["3", "", None]])
    result = warehouse.run("create-load-redshift", table_definition=USERS, input=[manifest])
    assert warehouse.rows("SELECT id, name, born::text FROM users ORDER BY id") == [
        (1, "a", "2020-01-02"),
        (2, None, None),
        (3, "", None),
    ]
    assert result.rows == 3
    assert {"created": True, "deleted": 0, "inserted": 3, "files": 2}.items() <= result.details.items()
    assert warehouse.staging_tables() == []


def test_a_second_run_leaves_the_same_table(warehouse: Any) -> None:
    manifest = warehouse.put_extract("users", COLUMNS, [["1", "a", None], ["2", "b", None]])
    for _ in range(2):
        result = warehouse.run("create-load-redshift", table_definition=USERS, input=[manifest])
    assert warehouse.rows("SELECT COUNT(*) FROM users") == [(2,)]
    assert {"created": False, "deleted": 2, "inserted": 2}.items() <= result.details.items()


def test_the_texts_that_look_like_null_stay_four_different_things(warehouse: Any) -> None:
    rows = [["1", None, None], ["2", "", None], ["3", "NULL", None], ["4", "\\N", None], ["5", "a\tb\\\n\rc", None]]
    warehouse.run("create-load-redshift", table_definition=USERS, input=[warehouse.put_extract("users", COLUMNS, rows)])
    assert [row[0] for row in warehouse.rows("SELECT name FROM users ORDER BY id")] == [row[1] for row in rows]


def test_a_directory_means_its_files_and_not_those_of_its_neighbour(warehouse: Any) -> None:
    warehouse.put_tsv("in/users/a.gz", [["1", "a", None]])
    warehouse.put_tsv("in/users/b.gz", [["2", "b", None]])
    warehouse.put("in/users/_SUCCESS", b"")
    warehouse.put_tsv("in/users_old/c.gz", [["3", "c", None]])
    directory = f"s3://{warehouse.bucket}/in/users"
    warehouse.run("create-load-redshift", table_definition=USERS, input=[directory])
    assert warehouse.rows("SELECT id FROM users ORDER BY id") == [(1,), (2,)]
    listed = warehouse.s3.list_objects_v2(Bucket=warehouse.bucket, Prefix="etl/")
    assert listed["KeyCount"] == 0, "the manifest made for the load is gone"


def test_a_refused_row_is_named_without_its_data_and_the_former_rows_stay(warehouse: Any) -> None:
    good = warehouse.put_extract("good", COLUMNS, [["1", "a", None]])
    warehouse.run("create-load-redshift", table_definition=USERS, input=[good])
    bad = warehouse.put_extract("bad", COLUMNS, [["2", "b", None], ["3", "c", "secret-not-a-date"]])
    with pytest.raises(LoadRejected) as caught:
        warehouse.run("create-load-redshift", table_definition=USERS, input=[bad])
    message = str(caught.value)
    assert "bad/part-0000.tsv.gz line 2" in message
    assert "born" in message
    assert "secret" not in message
    assert warehouse.rows("SELECT id FROM users") == [(1,)]


def test_a_failing_first_load_leaves_no_table(warehouse: Any) -> None:
    bad = warehouse.put_extract("bad", COLUMNS, [["x", "b", None]])
    with pytest.raises(LoadRejected):
        warehouse.run("create-load-redshift", table_definition=USERS, input=[bad])
    assert warehouse.rows("SELECT relname FROM pg_class WHERE relname = 'users'") == []


def test_rows_that_may_be_refused_are_counted(warehouse: Any) -> None:
    rows = [["1", "a", None], ["x", "b", None], ["3", "c", None]]
    manifest = warehouse.put_extract("users", COLUMNS, rows)
    result = warehouse.run("create-load-redshift", table_definition=USERS, input=[manifest], max_error=5)
    assert {"staged": 2, "rejected": 1, "inserted": 2}.items() <= result.details.items()


def test_fewer_rows_than_the_extract_counted_fail_and_change_nothing(warehouse: Any) -> None:
    good = warehouse.put_extract("good", COLUMNS, [["1", "a", None]])
    warehouse.run("create-load-redshift", table_definition=USERS, input=[good])
    short = warehouse.put_extract("short", COLUMNS, [["2", "b", None]])
    warehouse.put_tsv("short/part-0000.tsv.gz", [])
    with pytest.raises(CheckFailed, match="1 in files, 0 in staging"):
        warehouse.run("create-load-redshift", table_definition=USERS, input=[short])
    assert warehouse.rows("SELECT id FROM users") == [(1,)]


def test_another_order_of_columns_in_the_table_is_refused(warehouse: Any) -> None:
    warehouse.rows("CREATE TABLE users (id BIGINT NOT NULL, born DATE, name VARCHAR(20))")
    manifest = warehouse.put_extract("users", COLUMNS, [["1", "a", None]])
    with pytest.raises(SchemaMismatch, match="another order"):
        warehouse.run("create-load-redshift", table_definition=USERS, input=[manifest])


def test_columns_in_another_order_in_the_files_go_where_their_names_say(warehouse: Any) -> None:
    manifest = warehouse.put_extract("users", ("name", "born", "id"), [["a", None, "1"]])
    warehouse.run("create-load-redshift", table_definition=USERS, input=[manifest])
    assert warehouse.rows("SELECT id, name FROM users") == [(1, "a")]


def test_files_with_other_columns_than_the_table_are_refused(warehouse: Any) -> None:
    manifest = warehouse.put_extract("users", ("id", "name", "email"), [["1", "a", "e"]])
    with pytest.raises(SchemaMismatch, match=r"'email'.*'born' is not in the files"):
        warehouse.run("create-load-redshift", table_definition=USERS, input=[manifest])


def test_identity_and_default_columns_are_filled_by_the_warehouse(warehouse: Any) -> None:
    table = "CREATE TABLE logs (n BIGINT IDENTITY(1,1), what VARCHAR(9), kind VARCHAR(9) DEFAULT 'x' NOT NULL)"
    manifest = warehouse.put_extract("logs", ("what",), [["a"], ["b"]])
    for _ in range(2):
        warehouse.run("create-load-redshift", table_definition=table, input=[manifest])
    assert warehouse.rows("SELECT what, kind FROM logs ORDER BY what") == [("a", "x"), ("b", "x")]
    assert len(warehouse.rows("SELECT DISTINCT n FROM logs WHERE n IS NOT NULL")) == 2


def test_append_adds_new_keys_once(warehouse: Any) -> None:
    first = warehouse.put_extract("first", COLUMNS, [["1", "a", None]])
    second = warehouse.put_extract("second", COLUMNS, [["1", "changed", None], ["2", "b", None]])
    for manifest in (first, second, second):
        warehouse.run("create-load-redshift", table_definition=USERS, input=[manifest], mode="append")
    assert warehouse.rows("SELECT id, name FROM users ORDER BY id") == [(1, "a"), (2, "b")]


def test_csv_with_a_header_loads(warehouse: Any) -> None:
    address = warehouse.put("in/users.csv", b'id,name,born\n1,"a,""b",2020-01-02\n')
    options = {"input_format": "csv", "ignore_header": 1}
    warehouse.run("create-load-redshift", table_definition=USERS, input=[address], **options)
    assert warehouse.rows("SELECT id, name FROM users") == [(1, 'a,"b')]


def test_nothing_to_load_is_said(warehouse: Any) -> None:
    with pytest.raises(NotFound, match="no files under"):
        warehouse.run("create-load-redshift", table_definition=USERS, input=[f"s3://{warehouse.bucket}/nothing"])
