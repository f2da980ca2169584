"""Which statements end or refuse a transaction, serialization failures, and what the system views tell of all that."""

from __future__ import annotations

import psycopg2
import pytest
from psycopg2 import errors

from tests.integration.agent.conftest import eventually

ROLE = "IAM_ROLE 'arn:aws:iam::123456789012:role/loader'"


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("ALTER TABLE t ALTER COLUMN s TYPE varchar(20)", "ALTER TABLE ALTER COLUMN"),
        ("ALTER TABLE t APPEND FROM u", "ALTER TABLE APPEND"),
        ("VACUUM t", "VACUUM"),
        ("VACUUM", "VACUUM"),
    ],
)
def test_some_statements_run_in_no_block(open_connection, run, statement, name):
    run("CREATE TABLE t (s varchar(9))")
    run("CREATE TABLE u (s varchar(9))")
    other = open_connection()
    with other.cursor() as cursor:
        cursor.execute("SELECT 1")
        with pytest.raises(errors.ActiveSqlTransaction, match=f"{name} cannot run inside a transaction block"):
            cursor.execute(statement)
        with pytest.raises(errors.InFailedSqlTransaction):
            cursor.execute("SELECT 1")
    other.rollback()
    run(statement)


@pytest.mark.parametrize(
    "statement",
    [
        *("VACUUM FULL t", "VACUUM SORT ONLY t TO 75 PERCENT", "VACUUM DELETE ONLY t BOOST", "VACUUM REINDEX t"),
        *("VACUUM RECLUSTER t", "VACUUM t TO 100 PERCENT BOOST", "ANALYZE", "ANALYZE t (s)", "ANALYZE VERBOSE t"),
        *("ANALYZE t PREDICATE COLUMNS", "ANALYZE t ALL COLUMNS"),
    ],
)
def test_every_form_of_vacuum_and_analyze(run, statement):
    run("CREATE TABLE t (s varchar(9))")
    run(statement)


def test_analyze_is_part_of_a_block(open_connection, run):
    run("CREATE TABLE t (s varchar(9))")
    other = open_connection()
    other.cursor().execute("ANALYZE t; INSERT INTO t VALUES ('a')")
    other.rollback()
    assert run("SELECT count(*) FROM t") == [(0,)]


@pytest.mark.parametrize(
    ("column", "change", "complaint"),
    [
        ("s varchar(9)", "ALTER COLUMN s TYPE int", "size of a VARCHAR"),
        ("s int", "ALTER COLUMN s TYPE varchar(9)", "size of a VARCHAR"),
        ("s varchar(9) ENCODE text255", "ALTER COLUMN s TYPE varchar(20)", "encoding TEXT255"),
        ("s varchar(9) PRIMARY KEY", "ALTER COLUMN s TYPE varchar(20)", "PRIMARY KEY"),
        ("s varchar(9) DEFAULT 'x'", "ALTER COLUMN s TYPE varchar(8)", "cannot decrease a VARCHAR column size"),
        ("s varchar(9)", "ALTER COLUMN s TYPE varchar(2)", "value too long"),
        ("s varchar(9)", "ALTER COLUMN s TYPE varchar(20) USING s::varchar", "does not support USING"),
        ("s varchar(9)", "ALTER COLUMN s SET DEFAULT 'x'", "SET/DROP DEFAULT is not supported"),
        ("s varchar(9)", "ALTER COLUMN s SET NOT NULL", "TYPE or ENCODE"),
        ("s varchar(9)", "ALTER COLUMN nothing TYPE varchar(20)", "does not exist"),
        ("s varchar(9)", "SET SCHEMA pg_temp", "does not know"),
        ("s varchar(9)", "ENABLE TRIGGER ALL", "does not know"),
    ],
)
def test_alter_table_refuses_what_redshift_refuses(run, column, change, complaint):
    run(f"CREATE TABLE t ({column})")
    run("INSERT INTO t VALUES (%s)", 123 if column == "s int" else "abc")
    with pytest.raises(psycopg2.Error, match=complaint):
        run(f"ALTER TABLE t {change}")


def test_a_varchar_is_widened_and_narrowed_down_to_its_longest_value(run):
    run("CREATE TABLE t (s varchar(9) DEFAULT 'x', r varchar(9))")
    run("INSERT INTO t VALUES ('abc', 'äb')")
    run("ALTER TABLE t ALTER COLUMN s TYPE varchar(max)")
    run("ALTER TABLE t ALTER COLUMN r TYPE character varying(3)")
    assert run("SELECT type FROM pg_table_def WHERE tablename = 't'") == [
        ("character varying(65535)",),
        ("character varying(3)",),
    ]


def test_transactions_that_form_a_cycle_end_with_1023(open_connection, run):
    run("CREATE TABLE a (id int); CREATE TABLE b (id int)")
    one, two = open_connection(), open_connection()
    one.cursor().execute("SELECT count(*) FROM a; INSERT INTO b VALUES (1)")
    two.cursor().execute("SELECT count(*) FROM b; INSERT INTO a VALUES (1)")
    one.commit()
    with pytest.raises(psycopg2.Error, match="1023") as caught:
        two.commit()
    assert caught.value.pgcode == "XX000"
    assert "Serializable isolation violation" in caught.value.diag.message_detail
    assert run("SELECT isolation_level FROM stv_db_isolation_level WHERE db_name = current_database()") == [
        ("Serializable",)
    ]


def test_a_test_lets_the_next_commits_fail(open_connection, run):
    run("CREATE TABLE t (id int)")
    other = open_connection()
    run("CALL sandbox_serialization_failures(2)")
    for _ in range(2):
        other.cursor().execute("INSERT INTO t VALUES (1)")
        with pytest.raises(psycopg2.Error, match="1023"):
            other.commit()
        other.rollback()
    other.cursor().execute("INSERT INTO t VALUES (1)")
    other.commit()
    run("CALL sandbox_serialization_failures(1)")
    with pytest.raises(psycopg2.Error, match="1023"):
        run("INSERT INTO t VALUES (2); CREATE TABLE x (id int)")
    assert run("SELECT count(*) FROM t") == [(1,)]


def test_lock_holds_until_the_block_ends_and_stv_locks_names_it(open_connection, run):
    run("CREATE TABLE t (id int)")
    other = open_connection()
    other.cursor().execute("LOCK t")
    held = "SELECT rtrim(lock_status) FROM stv_locks WHERE table_id = 't'::regclass::oid"
    assert ("Holding AccessExclusiveLock",) in run(held)
    assert run("SELECT txn_owner = current_user FROM svv_transactions WHERE relation = 't'::regclass::oid") == [(True,)]
    other.rollback()
    assert run(held) == []


def test_queries_are_found_by_session_with_their_numbers_and_outcome(open_connection, run, put):
    run("SET query_group TO 'mine'")
    run("CREATE TABLE t (id int)")
    run(f"COPY t FROM '{put('d', '7')}' {ROLE}")
    with pytest.raises(psycopg2.Error):
        run("SELECT 1 / 0")
    found = run(
        "SELECT query_type, status, query_text LIKE '%%COPY%%', query_id = pg_last_copy_id() FROM sys_query_history"
        " WHERE session_id = pg_backend_pid() AND query_type IN ('COPY', 'SELECT', 'DDL') ORDER BY start_time"
    )
    assert found[-3:] == [
        ("DDL", "success", False, False),
        ("COPY", "success", True, True),
        ("SELECT", "failed", False, False),
    ]
    assert run("SELECT DISTINCT rtrim(label) FROM stl_query WHERE query = pg_last_copy_id()") == [("mine",)]
    assert run("SELECT COUNT(*) FROM sys_query_text WHERE query_id = pg_last_copy_id() AND text LIKE 'COPY t%%'") == [
        (1,)
    ]
    assert run("SELECT COUNT(*) FROM stl_utilitytext WHERE pid = pg_backend_pid() AND text LIKE 'SET query_g%%'") == [
        (1,)
    ]
    assert run("SELECT aborted FROM stl_query WHERE pid = pg_backend_pid() AND querytxt LIKE 'SELECT 1 / 0%%'") == [
        (1,)
    ]


def test_secrets_of_a_statement_are_not_in_the_log(run, put):
    run("CREATE TABLE t (id int)")
    keys = "ACCESS_KEY_ID 'AKIAREALLYSECRET1' SECRET_ACCESS_KEY 'real/ly+secret+key'"
    run(f"COPY t FROM '{put('d', '7')}' {keys}")
    texts = run("SELECT query_text FROM sys_query_history WHERE session_id = pg_backend_pid() AND query_type = 'COPY'")
    assert texts
    assert not any("real/ly" in text or "AKIAREALLY" in text for (text,) in texts)


def test_load_commits_and_unloads_are_listed_by_file(run, put, s3_bucket):
    run("CREATE TABLE t (id int)")
    place = put("in/a", "1\n2\nx\n")
    run(f"COPY t FROM '{place}' {ROLE} MAXERROR 5")
    assert run(
        "SELECT rtrim(filename), lines_scanned, errors, rtrim(file_format) FROM stl_load_commits"
        " WHERE query = pg_last_copy_id()"
    ) == [(place, 3, 1, "Text")]
    assert run("SELECT rtrim(colname), rtrim(value) FROM stl_loaderror_detail WHERE query = pg_last_copy_id()") == [
        ("id", "x")
    ]
    run(f"UNLOAD ('SELECT * FROM t') TO 's3://{s3_bucket}/out/' {ROLE} MANIFEST")
    assert run(
        "SELECT unloaded_rows, unloaded_files_count, file_format FROM sys_unload_history"
        " WHERE query_id = pg_last_unload_id()"
    ) == [(2, 2, "text")]


def test_sessions_and_recent_queries_are_listed(open_connection, run):
    open_connection()
    assert run("SELECT count(*) >= 2 FROM stv_sessions WHERE user_name = current_user") == [(True,)]
    assert run("SELECT count(*) FROM stv_recents WHERE pid = pg_backend_pid() AND status = 'Running'") == [(1,)]
    assert run("SELECT count(*) FROM stv_inflight WHERE pid = pg_backend_pid()") == [(1,)]


def test_svv_table_info_tells_what_vacuum_and_analyze_have_to_do(run):
    run("CREATE TABLE t (id int, s varchar(30)) SORTKEY (id)")
    run("INSERT INTO t VALUES (1, 'a'), (2, 'b')")

    def settled():
        run("ANALYZE t")
        run("VACUUM t")
        columns = "tbl_rows, stats_off, unsorted, max_varchar, sortkey_num"
        return run(f"SELECT {columns} FROM svv_table_info WHERE \"table\" = 't' AND schema = 'public'") == [
            (2, 0, 0, 30, 1)
        ]

    eventually(settled, "Postgres to have counted the rows, which it does with a delay")
