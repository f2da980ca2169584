"""Ordinary SQL, transactions and what clients do to a session."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress

import psycopg2
import pytest
from psycopg2 import errors, extensions

from sandbox.certificates import issue
from sandbox.redshift import protocol


def test_an_empty_query_and_a_comment_are_answered(psql):
    done = psql("-c", "", "-c", "-- nothing", "-c", "SELECT 1")
    assert (done.returncode, done.stdout.strip()) == (0, "1")


def test_a_wrong_password_is_refused(redshift_database, open_connection):
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        open_connection(password="not the password")


def test_an_unknown_database_is_refused(redshift_database, open_connection):
    with pytest.raises(psycopg2.OperationalError, match='database "nowhere" does not exist'):
        psycopg2.connect(
            host=redshift_database.host,
            port=redshift_database.port,
            user=redshift_database.username,
            password=redshift_database.password,
            dbname="nowhere",
        )


def test_a_client_that_trusts_the_sandboxs_authority_comes_in_over_tls(redshift_front, open_connection):
    connection = open_connection(sslmode="verify-full", sslrootcert=str(redshift_front.authority))
    assert connection.info.ssl_in_use
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s, repeat('x', 3000000)", ["y" * 3_000_000])
        assert [len(value) for value in cursor.fetchone()] == [3_000_000, 3_000_000]


def test_a_client_that_trusts_another_authority_stays_out(tmp_path, open_connection):
    authority, _ = issue()
    (tmp_path / "other.crt").write_bytes(authority)
    with pytest.raises(psycopg2.OperationalError, match="certificate verify failed"):
        open_connection(sslmode="verify-full", sslrootcert=str(tmp_path / "other.crt"))


def test_what_is_sent_in_clear_text_behind_the_wish_for_tls_ends_the_session(redshift_database):
    with socket.create_connection((redshift_database.host, redshift_database.port)) as client:
        client.sendall((8).to_bytes(4, "big") + protocol.SSL_REQUEST.to_bytes(4, "big") + b"in clear text")
        assert client.recv(1) == b"S"
        client.settimeout(20)
        with suppress(ConnectionResetError):  # what the front has not read ends a connection so
            while client.recv(100):
                pass


def test_a_client_without_tls_comes_in(open_connection):
    assert not open_connection(sslmode="disable").info.ssl_in_use


def test_sessions_are_serializable_and_in_utc(run):
    assert run("SHOW transaction_isolation") == [("serializable",)]
    assert run("SHOW timezone") == [("UTC",)]


def test_a_large_result_arrives_whole(run):
    rows = run("SELECT n, repeat('Z', 50) FROM generate_series(1, 200000) AS g(n)")
    assert len(rows) == 200_000
    assert sum(row[0] for row in rows) == 200_000 * 200_001 // 2


def test_a_value_larger_than_the_buffers_arrives_whole(run):
    assert len(run("SELECT repeat('x', 20000000)")[0][0]) == 20_000_000


def test_a_server_side_cursor_works(open_connection):
    connection = open_connection()
    with connection.cursor("walk") as cursor:
        cursor.itersize = 100
        cursor.execute("SELECT n FROM generate_series(1, 1000) AS g(n)")
        assert sum(row[0] for row in cursor) == 500_500


def test_a_rollback_takes_definitions_and_rows_back(open_connection, run):
    connection = open_connection()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE t (id int DISTKEY)")
        cursor.execute("INSERT INTO t VALUES (1)")
    connection.rollback()
    assert run("SELECT count(*) FROM pg_table_def WHERE tablename = 't'") == [(0,)]


def test_truncate_commits_what_came_before(open_connection, run):
    run("CREATE TABLE t (id int)")
    run("CREATE TABLE other (id int)")
    run("INSERT INTO t VALUES (1)")
    connection = open_connection()
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO other VALUES (7)")
        cursor.execute("TRUNCATE t")
    assert connection.info.transaction_status == extensions.TRANSACTION_STATUS_IDLE
    connection.rollback()
    assert run("SELECT count(*) FROM t") == [(0,)]
    assert run("SELECT id FROM other") == [(7,)]


def test_truncate_inside_one_query_commits_and_the_rest_goes_on(run, connection):
    run("CREATE TABLE t (id int)")
    with pytest.raises(errors.DivisionByZero):
        run("INSERT INTO t VALUES (1); TRUNCATE t; INSERT INTO t VALUES (2); SELECT 1/0")
    assert run("SELECT count(*) FROM t") == [(0,)]
    run("INSERT INTO t VALUES (1); TRUNCATE TABLE t; INSERT INTO t VALUES (3)")
    assert run("SELECT id FROM t") == [(3,)]


def test_one_query_is_one_transaction_when_a_statement_in_it_is_ours(run):
    with pytest.raises(errors.DivisionByZero):
        run("CREATE TABLE t (id int SORTKEY); INSERT INTO t VALUES (1); SELECT 1/0")
    assert run("SELECT count(*) FROM pg_table_def WHERE tablename = 't'") == [(0,)]
    assert run("CREATE TABLE t (id int SORTKEY); INSERT INTO t VALUES (1); SELECT id FROM t") == [(1,)]


def test_begin_inside_a_query_keeps_the_block_open(connection, run):
    run("CREATE TABLE t (id int DISTKEY); BEGIN; INSERT INTO t VALUES (1)")
    assert connection.info.transaction_status == extensions.TRANSACTION_STATUS_INTRANS
    run("ROLLBACK")
    assert run("SELECT count(*) FROM pg_table_def WHERE tablename = 't'") == [(0,)]
    run("CREATE TABLE t (id int DISTKEY); BEGIN; INSERT INTO t VALUES (1); COMMIT; INSERT INTO t VALUES (2)")
    assert run("SELECT count(*) FROM t") == [(2,)]


def test_redshifts_driver_for_python_gets_a_list_of_mechanisms_that_it_can_read(redshift_database):
    address = redshift_database
    parameters = {"user": address.username, "database": address.database, "driver_discovery_version": "1"}
    ends = []
    for version in ("Redshift Python Driver 2.1", "another driver"):
        with socket.create_connection((address.host, address.port), timeout=10) as connection:
            connection.sendall(protocol.startup(196608, {**parameters, "driver_version": version}))
            answer = connection.recv(1024)
        assert answer[:1] == b"R"
        assert len(answer) == 1 + int.from_bytes(answer[1:5], "big")
        ends.append(answer[-15:])
    assert ends == [b"\nSCRAM-SHA-256\0", b"SCRAM-SHA-256\0\0"]


def test_an_error_of_the_front_fails_the_transaction(open_connection):
    connection = open_connection()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        with pytest.raises(errors.FeatureNotSupported, match="ORC"):
            cursor.execute("UNLOAD ('SELECT 1') TO 's3://b/k' IAM_ROLE default FORMAT ORC")
        with pytest.raises(errors.InFailedSqlTransaction):
            cursor.execute("CREATE TABLE t (id int)")
        connection.rollback()
        cursor.execute("SELECT 2")
        assert cursor.fetchall() == [(2,)]


def test_the_position_of_an_error_is_that_in_the_whole_query(run):
    sql = "CREATE TABLE t (id int DISTKEY); SELECT 'ä'; SELECT nothing FROM t"
    with pytest.raises(errors.UndefinedColumn) as caught:
        run(sql)
    assert int(caught.value.diag.statement_position) == sql.index("nothing") + 1


def test_semicolons_in_strings_comments_and_dollar_quotes_end_nothing(run):
    sql = "CREATE TABLE t (a varchar(20) DISTKEY /* ; */); -- ;\nINSERT INTO t VALUES ('a;''b'), (E'\\';'), ($x$;$x$)"
    run(sql)
    assert run("SELECT a FROM t ORDER BY len(a), a") == [(";",), ("';",), ("a;'b",)]


def test_a_running_statement_is_cancelled(connection, run):
    failures: list[BaseException] = []

    def sleep() -> None:
        try:
            run("SELECT pg_sleep(60)")
        except errors.QueryCanceled as error:
            failures.append(error)

    thread = threading.Thread(target=sleep)
    thread.start()
    while thread.is_alive() and not failures:
        connection.cancel()
        thread.join(0.05)
    thread.join()
    assert len(failures) == 1
    assert run("SELECT 1") == [(1,)]


def test_a_serialization_failure_is_reported_as_1023(open_connection, run):
    run("CREATE TABLE t (id int)")
    run("INSERT INTO t VALUES (1)")
    first, second = open_connection(), open_connection()
    with first.cursor() as one, second.cursor() as two:
        two.execute("SELECT * FROM t")
        one.execute("UPDATE t SET id = 2")
        first.commit()
        with pytest.raises(errors.InternalError_) as caught:
            two.execute("UPDATE t SET id = 3")
    assert caught.value.pgcode == "XX000"
    assert "1023" in str(caught.value)
    assert "Serializable isolation violation on table" in str(caught.value)


def test_a_serialization_failure_at_commit_is_reported_as_1023(open_connection, run):
    run("CREATE TABLE t (id int)")
    run("CREATE TABLE u (id int)")
    first, second = open_connection(), open_connection()
    with first.cursor() as one, second.cursor() as two:
        one.execute("SELECT count(*) FROM t")
        two.execute("SELECT count(*) FROM u")
        one.execute("INSERT INTO u VALUES (1)")
        two.execute("INSERT INTO t VALUES (1)")
        first.commit()
        with pytest.raises(psycopg2.Error, match="1023"):
            second.commit()


def test_two_sessions_that_define_temporary_tables_never_conflict(open_connection, run):
    run("CREATE TABLE t (id int DISTKEY SORTKEY)")
    first, second = open_connection(), open_connection()
    for connection in (first, second):
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMP TABLE s (LIKE t)")
            cursor.execute("SELECT distkey, sortkey FROM pg_table_def WHERE tablename = 's'")
            assert cursor.fetchall() == [(True, 1)]
    first.commit()
    second.commit()


def test_lock_waits_for_the_holder(open_connection, run):
    run("CREATE TABLE t (id int)")
    first, second = open_connection(), open_connection()
    with first.cursor() as one, second.cursor() as two:
        one.execute("LOCK t")
        two.execute("SET statement_timeout TO 100")
        with pytest.raises(errors.QueryCanceled):
            two.execute("LOCK TABLE t")
        first.rollback()
        second.rollback()
        two.execute("LOCK t")


def test_query_group_is_set_shown_and_reset(run):
    assert run("SHOW query_group") == [("unset",)]
    run("SET query_group TO 'etl'")
    assert run("SHOW query_group") == [("etl",)]
    run("RESET query_group")
    assert run("SHOW query_group") == [("unset",)]
    run("SET SESSION wlm_query_slot_count TO 3")


def test_analyze_and_vacuum_run_as_redshift_allows(open_connection, run):
    run("CREATE TABLE t (id int)")
    run("ANALYZE t")
    run("ANALYZE t PREDICATE COLUMNS")
    run("ANALYZE t (id)")
    for statement in ("VACUUM", "VACUUM FULL t", "VACUUM SORT ONLY t TO 75 PERCENT", "VACUUM DELETE ONLY t BOOST"):
        run(statement)
    connection = open_connection()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE t")
        with pytest.raises(errors.ActiveSqlTransaction):
            cursor.execute("VACUUM t")


def test_vacuum_is_refused_beside_other_statements(run):
    with pytest.raises(errors.ActiveSqlTransaction):
        run("SELECT 1; VACUUM")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE INDEX i ON t (id)",
        "CREATE EXTENSION vector",
        "CREATE SEQUENCE s",
        "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING",
        "INSERT INTO t VALUES (1) RETURNING id",
        "SAVEPOINT s",
        "DO 'BEGIN END'",
        "VALUES (1)",
        "UNLOAD ('SELECT 1') TO 's3://b/k' IAM_ROLE default FORMAT ORC",
        "CREATE TABLE x (id serial)",
        "CREATE TABLE x (id int[])",
        "CREATE TABLE x (id uuid)",
        "CREATE TABLE x (id int CHECK (id > 0))",
        "ANALYZE COMPRESSION t",
        "FROBNICATE t",
        "COPY t FROM STDIN",
        "COPY t FROM 's3://b/k' IAM_ROLE default FORMAT SHAPEFILE",
        "COPY t FROM 's3://b/k' IAM_ROLE default LOUDLY",
    ],
)
def test_what_redshift_or_the_sandbox_has_not_is_refused_by_name(run, statement):
    run("CREATE TABLE t (id int)")
    with pytest.raises(psycopg2.Error, match=r"not supported by Redshift|does not know|not a column type of Redshift"):
        run(statement)
    assert run("SELECT count(*) FROM t") == [(0,)]


def test_psql_describes_tables(psql):
    done = psql("-c", "CREATE TABLE t (id int DISTKEY)", "-c", "\\dt", "-c", "\\d t", "-c", "\\d", "-c", "\\du")
    assert done.returncode == 0, done.stderr
    assert "public|t|table" in done.stdout
    assert "id|integer" in done.stdout


def test_functions_of_redshift_are_there(run):
    sql = """SELECT len('abc'), nvl(NULL, 3),
      datediff(day, '2024-01-01 23:00'::timestamp, '2024-01-02 01:00'::timestamp),
      dateadd(month, 1, '2024-01-31'::date), datediff(month, '2024-01-31'::date, '2024-02-01'::date),
      datediff(hour, '2024-01-01 00:59'::timestamp, '2024-01-01 01:00'::timestamp), 'x'::varchar(max)"""
    (row,) = run(sql)
    assert [str(value) for value in row] == ["3", "3", "1", "2024-02-29 00:00:00", "1", "1", "x"]
    assert run("SELECT getdate() <= sysdate + interval '1 hour', SYSDATE IS NULL") == [(True, False)]
    assert "Redshift" in run("SELECT version()")[0][0]


def test_a_query_in_another_client_encoding_passes(open_connection):
    connection = open_connection()
    connection.set_client_encoding("LATIN1")
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE t (s varchar(9) DISTKEY); INSERT INTO t VALUES ('é'); SELECT s, octet_length(s) FROM t"
        )
        assert cursor.fetchall() == [("é", 2)]


def test_the_locks_of_a_client_that_vanishes_during_a_copy_are_free_soon(redshift_database, open_connection, run, put):
    run("CREATE TABLE t (id int, s varchar(100))")
    address = put("data", "".join(f"{n}|{'x' * 90}\n" for n in range(300_000)), packed=True)
    lost = open_connection(sslmode="disable")
    with lost.cursor() as cursor:
        cursor.execute("LOCK t")
    body = f"COPY t FROM '{address}' IAM_ROLE default GZIP".encode() + b"\0"
    with socket.socket(fileno=os.dup(lost.fileno())) as wire:
        wire.sendall(b"Q" + (len(body) + 4).to_bytes(4, "big") + body)
        wire.shutdown(socket.SHUT_RDWR)
    run("SET statement_timeout TO 30000")
    run("BEGIN; LOCK t")
    assert run("SELECT count(*) FROM t") == [(0,)]
    run("ROLLBACK")
