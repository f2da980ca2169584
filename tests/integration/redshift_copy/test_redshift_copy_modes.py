"""The four insertModes, each run twice; keys; tables that are made; transformSql."""

from __future__ import annotations

import pytest

from core.errors import CheckFailed, NotFound, ParameterError, SchemaMismatch, StoreError

CSV = {"type": "CSV"}
OLD = [(1, "old"), (2, "old")]


@pytest.fixture
def target(desk):
    """A table with a primary key, two rows, and files with one new row and one that is there."""
    desk.sql("CREATE TABLE t (id int PRIMARY KEY, s varchar(20))")
    desk.sql("INSERT INTO t VALUES (1, 'old'), (2, 'old')")
    desk.put("in/a.csv", "2,new\n3,new\n")
    return desk.node(f"s3://{desk.bucket}/in/", dataFormat=CSV)


@pytest.mark.parametrize(
    ("mode", "once", "twice"),
    [
        ("KEEP_EXISTING", [(1, "old"), (2, "old"), (3, "new")], None),
        ("OVERWRITE_EXISTING", [(1, "old"), (2, "new"), (3, "new")], None),
        ("TRUNCATE", [(2, "new"), (3, "new")], None),
        ("APPEND", [(1, "old"), (2, "new"), (2, "old"), (3, "new")], [(2, "new"), (3, "new")]),
    ],
)
def test_each_mode_does_what_aws_says_and_a_second_run_only_appends_again(desk, target, mode, once, twice):
    desk.run(target, desk.table("t"), mode.lower())
    assert desk.sql("SELECT * FROM t ORDER BY id, s") == once
    desk.run(target, desk.table("t"), mode)
    assert desk.sql("SELECT * FROM t ORDER BY id, s") == sorted(once + (twice or []))


def test_the_result_counts_what_was_done(desk, target):
    result = desk.run(target, desk.table("t"), "OVERWRITE_EXISTING")
    assert result.rows == 2
    assert result.details == {
        "table": "public.t",
        "mode": "OVERWRITE_EXISTING",
        "staged": 2,
        "rejected": 0,
        "deleted": 1,
        "inserted": 2,
        "rows_with_a_key_twice": 0,
    }


def test_primary_keys_of_the_node_go_before_those_of_the_table(desk, target):
    desk.put("in/a.csv", "9,old\n")
    desk.run(target, desk.table("t", primaryKeys=["S"]), "OVERWRITE_EXISTING")
    assert desk.sql("SELECT * FROM t") == [(9, "old")]


def test_sort_and_distribution_keys_serve_where_there_is_no_primary_key(desk, target):
    desk.sql("CREATE TABLE k (id int DISTKEY, s varchar(20), n int SORTKEY)")
    desk.sql("INSERT INTO k VALUES (1, 'old', 1), (2, 'old', 1)")
    desk.put("in/a.csv", "1,new,1\n2,new,2\n")
    desk.run(target, desk.table("k"), "OVERWRITE_EXISTING")
    assert desk.sql("SELECT * FROM k ORDER BY id, n") == [(1, "new", 1), (2, "old", 1), (2, "new", 2)]


def test_a_row_whose_sort_key_changes_is_the_same_row_unless_the_setting_says_all(desk, target):
    desk.sql("CREATE TABLE k (id int PRIMARY KEY, n int SORTKEY)")
    desk.sql("INSERT INTO k VALUES (1, 1)")
    desk.put("in/a.csv", "1,2\n")
    desk.settings = {"redshift_copy_activity": {"merge_keys": "all"}}
    desk.run(target, desk.table("k"), "KEEP_EXISTING")
    assert desk.sql("SELECT * FROM k ORDER BY n") == [(1, 1), (1, 2)]
    desk.settings = {}
    desk.run(target, desk.table("k"), "OVERWRITE_EXISTING")
    assert desk.sql("SELECT * FROM k") == [(1, 2)]


def test_a_table_without_any_key_fails_loudly_and_stays_as_it_was(desk, target):
    desk.sql("CREATE TABLE k (id int, s varchar(20))")
    desk.sql("INSERT INTO k VALUES (2, 'new'), (NULL, NULL)")
    for mode in ("KEEP_EXISTING", "OVERWRITE_EXISTING"):
        with pytest.raises(CheckFailed, match="merge_without_keys"):
            desk.run(target, desk.table("k"), mode)
    assert desk.sql("SELECT count(*) FROM k") == [(2,)]
    desk.settings = {"redshift_copy_activity": {"merge_without_keys": "row"}}
    desk.run(target, desk.table("k"), "KEEP_EXISTING")
    assert desk.sql("SELECT * FROM k ORDER BY id") == [(2, "new"), (3, "new"), (None, None)]


@pytest.mark.parametrize("mode", ["KEEP_EXISTING", "OVERWRITE_EXISTING"])
def test_null_in_a_key_equals_null_so_that_a_second_run_changes_nothing(desk, target, mode):
    desk.put("in/a.csv", "\\N,a\n1,b\n")
    for _ in range(2):
        desk.run(
            target, desk.table("k", createTableSql="CREATE TABLE k (id int, s varchar(9))", primaryKeys="id"), mode
        )
    assert desk.sql("SELECT * FROM k ORDER BY id") == [(1, "b"), (None, "a")]


def test_an_unknown_key_is_named(desk, target):
    with pytest.raises(ParameterError, match="nothing"):
        desk.run(target, desk.table("t", primaryKeys=["nothing"]), "KEEP_EXISTING")


def test_a_missing_table_is_made_as_the_definition_says_and_only_then(desk, target):
    create = "create table made (id int primary key, s varchar(20)); grant select on made to public;"
    for _ in range(2):
        desk.run(target, desk.table("made", createTableSql=create), "TRUNCATE")
    assert desk.sql("SELECT * FROM made ORDER BY id") == [(2, "new"), (3, "new")]


def test_a_missing_table_is_made_in_the_schema_of_the_node(desk, target):
    desk.sql("CREATE SCHEMA IF NOT EXISTS sales")
    create = "CREATE TABLE made (id int, s varchar(20))"
    desk.run(target, desk.table("made", schemaName="SALES", createTableSql=create), "APPEND")
    desk.run(target, desk.table("sales.made", schemaName="sales"), "APPEND")
    assert desk.sql("SELECT count(*) FROM sales.made") == [(4,)]


def test_a_load_that_fails_does_not_leave_the_table_that_it_made(desk, target):
    with pytest.raises(StoreError):
        desk.run(target, desk.table("made", createTableSql="CREATE TABLE made (s int, id int)"), "TRUNCATE")
    assert desk.sql("SELECT count(*) FROM pg_tables WHERE tablename = 'made'") == [(0,)]


def test_what_is_missing_or_made_under_another_name_is_named(desk, target):
    with pytest.raises(NotFound, match=r"public\.orders"):
        desk.run(target, desk.table("orders"), "TRUNCATE")
    with pytest.raises(SchemaMismatch, match=r"does not create public\.orders"):
        desk.run(target, desk.table("orders", createTableSql="CREATE TABLE StructuredLogs (a int)"), "TRUNCATE")
    with pytest.raises(StoreError, match="there already"):
        desk.run(target, desk.table("orders", createTableSql="CREATE TABLE t (a int)"), "TRUNCATE")
    with pytest.raises(ParameterError, match="schemaName"):
        desk.run(target, desk.table("sales.t", schemaName="other"), "TRUNCATE")


def test_transform_sql_reads_staging_and_fills_the_target(desk, target):
    desk.put("in/a.csv", "1,a\n2,b\n3,c\n")
    sql = "WITH s AS (SELECT id, upper(s) AS s FROM staging) SELECT id * 10 AS id, s FROM s WHERE id > 1; -- done"
    desk.run(target, desk.table("t"), "TRUNCATE", transformSql=sql)
    assert desk.sql("SELECT * FROM t ORDER BY id") == [(20, "B"), (30, "C")]


def test_transform_sql_may_look_at_the_target_and_its_error_changes_nothing(desk, target):
    sql = "SELECT s.id, t.s || '+' || s.s FROM staging s JOIN public.t ON t.id = s.id"
    desk.run(target, desk.table("t"), "OVERWRITE_EXISTING", transformSql=sql)
    assert desk.sql("SELECT * FROM t ORDER BY id") == [(1, "old"), (2, "old+new")]
    for bad in ("SELECT id FROM staging", "SELECT s, id FROM staging", "SELECT id, s, 1 FROM staging"):
        with pytest.raises(SchemaMismatch, match="transformSql gives the columns"):
            desk.run(target, desk.table("t"), "TRUNCATE", transformSql=bad)
    with pytest.raises(StoreError, match="division by zero"):
        desk.run(target, desk.table("t"), "TRUNCATE", transformSql="SELECT id / 0, s FROM staging")
    assert desk.sql("SELECT count(*) FROM t") == [(2,)]


def test_a_table_of_the_user_that_is_called_staging_is_left_alone(desk, target):
    desk.sql("CREATE TABLE staging (id int PRIMARY KEY, s varchar(20))")
    desk.run(target, desk.table("staging"), "OVERWRITE_EXISTING", transformSql="SELECT id, s FROM staging")
    assert desk.sql("SELECT * FROM public.staging ORDER BY id") == [(2, "new"), (3, "new")]


def test_an_identity_column_is_filled_by_the_warehouse(desk, target):
    desk.sql("CREATE TABLE k (n bigint IDENTITY(100, 1), id int PRIMARY KEY, s varchar(20))")
    desk.run(target, desk.table("k"), "OVERWRITE_EXISTING")
    desk.run(target, desk.table("k"), "KEEP_EXISTING")
    assert desk.sql("SELECT id, s, n >= 100 FROM k ORDER BY id") == [(2, "new", True), (3, "new", True)]


def test_truncate_with_nothing_to_load_empties_the_table(desk, target):
    desk.put("in/a.csv", "")
    desk.run(target, desk.table("t"), "TRUNCATE")
    assert desk.sql("SELECT count(*) FROM t") == [(0,)]


def test_rows_of_another_table_find_their_columns_by_name(desk, target):
    desk.sql("CREATE TABLE source (more int, s varchar(20), id int)")
    desk.sql("INSERT INTO source VALUES (0, 'x', 7)")
    desk.run(desk.table("source"), desk.table("t"), "APPEND")
    assert desk.sql("SELECT * FROM t WHERE id = 7") == [(7, "x")]
    sql = "SELECT id + more, s FROM staging"
    desk.run(desk.table("source"), desk.table("t"), "TRUNCATE", transformSql=sql)
    assert desk.sql("SELECT * FROM t") == [(7, "x")]
    with pytest.raises(ParameterError, match="same table"):
        desk.run(desk.table("t"), desk.table("PUBLIC.T"), "APPEND")
    desk.sql("CREATE TABLE other (id int)")
    with pytest.raises(SchemaMismatch, match="no column 's'"):
        desk.run(desk.table("other"), desk.table("t"), "APPEND")


def test_the_queue_is_the_query_group(desk, target):
    create = "CREATE TABLE made (id int, s varchar(20) DEFAULT current_setting('redshift.query_group'))"
    sql = "SELECT id, current_setting('redshift.query_group') FROM staging"
    desk.run(target, desk.table("made", createTableSql=create), "APPEND", queue="night", transformSql=sql)
    assert {row[1] for row in desk.sql("SELECT * FROM made")} == {"night"}
