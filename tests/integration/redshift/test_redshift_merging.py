"""MERGE and ALTER TABLE APPEND: what they change, what Redshift refuses, what is left after an error."""

from __future__ import annotations

import psycopg2
import pytest


@pytest.fixture
def pair(run):
    """A target and a source with one row in common."""
    run("CREATE TABLE target (id int, name varchar(20))")
    run("CREATE TABLE source (id int, name varchar(20))")
    run("INSERT INTO target VALUES (30, 'Tony'), (11, 'Alice'), (23, 'Bill')")
    run("INSERT INTO source VALUES (23, 'David'), (22, 'Clarence')")


def names(run, table="target"):
    return run(f"SELECT id, name FROM {table} ORDER BY 1, 2")


def test_merge_updates_what_matches_and_inserts_what_does_not(run, pair):
    run(
        "MERGE INTO target USING source AS s ON target.id = s.id"
        " WHEN MATCHED THEN UPDATE SET name = NVL(s.name, '-'), id = s.id"
        " WHEN NOT MATCHED THEN INSERT (name, id) VALUES (s.name, s.id)"
    )
    assert names(run) == [(11, "Alice"), (22, "Clarence"), (23, "David"), (30, "Tony")]


def test_merge_deletes_what_matches(run, pair):
    run(
        "merge into public.target using source on (target.id = source.id and 1 = 1)"
        " when matched then delete when not matched then insert values (source.id, source.name)"
    )
    assert names(run) == [(11, "Alice"), (22, "Clarence"), (30, "Tony")]


def test_remove_duplicates_leaves_one_row_for_each_of_the_source(run, pair):
    run("INSERT INTO target VALUES (30, 'Daisy'), (23, 'Nikki')")
    run("INSERT INTO source VALUES (22, 'Clarence')")
    run("MERGE INTO target USING source ON target.id = source.id REMOVE DUPLICATES")
    assert names(run) == [(11, "Alice"), (22, "Clarence"), (22, "Clarence"), (23, "David"), (30, "Daisy"), (30, "Tony")]


@pytest.mark.parametrize(
    "ending",
    [
        "WHEN MATCHED THEN UPDATE SET name = s.name WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.name)",
        "WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.name)",
        "REMOVE DUPLICATES",
    ],
)
def test_two_source_rows_for_one_target_row_are_an_error_and_change_nothing(run, pair, ending):
    run("INSERT INTO source VALUES (23, 'Dave')")
    run("CREATE TABLE s AS SELECT * FROM source")
    with pytest.raises(psycopg2.Error, match="Found multiple matches to update the same tuple") as caught:
        run(f"MERGE INTO target USING s ON target.id = s.id {ending}")
    assert caught.value.pgcode == "XX000"
    assert names(run) == [(11, "Alice"), (23, "Bill"), (30, "Tony")]


INSERT = "WHEN NOT MATCHED THEN INSERT VALUES (source.id, source.name)"
BOTH = f"WHEN MATCHED THEN UPDATE SET name = source.name {INSERT}"


@pytest.mark.parametrize(
    ("sql", "complaint"),
    [
        ("MERGE INTO target USING (SELECT 1 AS id) source ON target.id = source.id " + BOTH, "not a subquery"),
        ("MERGE INTO target USING v ON target.id = v.id " + BOTH.replace("source", "v"), "not a view"),
        ("MERGE INTO target USING target ON target.id = target.id REMOVE DUPLICATES", "different tables"),
        ("MERGE INTO target t USING source ON t.id = source.id " + BOTH, "syntax error"),
        ("MERGE INTO target USING source ON target.id > source.id " + BOTH, "equal predicates"),
        ("MERGE INTO target USING source ON target.id = source.id OR 1 = 1 " + BOTH, "equal predicates"),
        ("MERGE INTO target USING source ON target.id = source.id WHEN MATCHED THEN DELETE", "single WHEN clause"),
        (
            "MERGE INTO target USING source ON target.id = source.id WHEN MATCHED AND 1 = 1 THEN DELETE " + INSERT,
            "syntax error",
        ),
        (
            "MERGE INTO target USING source ON target.id = source.id WHEN MATCHED THEN UPDATE SET target.name = 'x' "
            + INSERT,
            "syntax error",
        ),
        ("MERGE INTO target USING source s ON target.id = s.id REMOVE DUPLICATES", "no alias"),
        ("MERGE INTO target USING narrow ON target.id = narrow.id REMOVE DUPLICATES", "same number of columns"),
        ("MERGE INTO target USING nothing ON target.id = nothing.id REMOVE DUPLICATES", "does not exist"),
        ("WITH x AS (SELECT 1) MERGE INTO target USING source ON target.id = source.id " + BOTH, "WITH before MERGE"),
        ("MERGE INTO pg_class USING source ON pg_class.oid = source.id " + BOTH, "system table"),
    ],
)
def test_merge_refuses_what_redshift_refuses(run, pair, sql, complaint):
    run("CREATE TABLE narrow (id int)")
    run("CREATE VIEW v AS SELECT * FROM source")
    with pytest.raises(psycopg2.Error, match=complaint):
        run(sql)
    assert names(run) == [(11, "Alice"), (23, "Bill"), (30, "Tony")]


def test_merge_is_part_of_its_transaction(open_connection, pair, run):
    other = open_connection()
    with other.cursor() as cursor:
        cursor.execute("MERGE INTO target USING source ON target.id = source.id REMOVE DUPLICATES")
        assert cursor.statusmessage.startswith("MERGE")
    other.rollback()
    assert names(run) == [(11, "Alice"), (23, "Bill"), (30, "Tony")]


def test_append_moves_the_rows_and_commits(run, pair):
    run("ALTER TABLE target APPEND FROM source")
    assert names(run) == [(11, "Alice"), (22, "Clarence"), (23, "Bill"), (23, "David"), (30, "Tony")]
    assert names(run, "source") == []


@pytest.mark.parametrize("block", ["BEGIN", "SELECT 1; SELECT 2"])
def test_append_runs_in_no_transaction_block_and_changes_nothing_there(open_connection, pair, run, block):
    other = open_connection()
    with (
        pytest.raises(psycopg2.Error, match="ALTER TABLE APPEND cannot run inside") as caught,
        other.cursor() as cursor,
    ):
        cursor.execute(f"{block}; ALTER TABLE target APPEND FROM source")
    assert caught.value.pgcode == "25001"
    other.rollback()
    assert names(run, "source") == [(22, "Clarence"), (23, "David")]


def test_append_fills_or_ignores_columns_of_one_side_only_when_it_is_told_to(run):
    run("CREATE TABLE wide (id int, extra int DEFAULT 7)")
    run("CREATE TABLE narrow (id int)")
    run("INSERT INTO narrow VALUES (1)")
    with pytest.raises(psycopg2.Error, match="FILLTARGET"):
        run("ALTER TABLE wide APPEND FROM narrow")
    run("ALTER TABLE wide APPEND FROM narrow FILLTARGET")
    assert run("SELECT * FROM wide") == [(1, 7)]
    with pytest.raises(psycopg2.Error, match="IGNOREEXTRA"):
        run("ALTER TABLE narrow APPEND FROM wide")
    run("ALTER TABLE narrow APPEND FROM wide IGNOREEXTRA")
    assert run("SELECT * FROM narrow") == [(1,)]


@pytest.mark.parametrize(
    ("target", "source", "complaint"),
    [
        ("(id int, s varchar(9))", "(id int, s varchar(8))", 'column "s" differ'),
        ("(id int ENCODE az64)", "(id int ENCODE zstd)", 'column "id" differ'),
        ("(id int) SORTKEY (id)", "(id int)", "sort keys"),
        ("(id int) DISTKEY (id)", "(id int) DISTSTYLE EVEN", "distribution"),
        ("(id int IDENTITY(1,1))", "(id int IDENTITY(1,1))", "identity column"),
    ],
)
def test_append_refuses_tables_that_differ(run, target, source, complaint):
    run(f"CREATE TABLE target {target}")
    run(f"CREATE TABLE source {source}")
    with pytest.raises(psycopg2.Error, match=complaint):
        run("ALTER TABLE target APPEND FROM source")


def test_append_refuses_a_temporary_table(run, pair):
    run("CREATE TEMP TABLE passing (id int, name varchar(20))")
    with pytest.raises(psycopg2.Error, match="permanent"):
        run("ALTER TABLE target APPEND FROM passing")
