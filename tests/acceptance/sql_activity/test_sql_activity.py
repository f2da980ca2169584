"""The step ``sql-activity`` on a real MySQL, Postgres and Redshift front."""

from __future__ import annotations

import json
import signal

from tests.integration.agent.conftest import eventually


def last(out):
    return json.loads(out.splitlines()[-1])


def test_a_script_of_several_statements_changes_the_data(target):
    code, out, err = target.run("create table t (a int, b varchar(20)); insert into t values (1, 'x;y'); -- done")
    assert code == 0, err
    assert target.sql("select a, b from t") == [(1, "x;y")]
    assert last(out)["details"]["statements"] == 2


def test_arguments_arrive_as_they_are(target):
    target.sql("create table t (a varchar(100), b varchar(100))")
    odd = 'it\'s 100% "odd" ; ? %s \u20ac\U0001f600'
    code, _, err = target.run("insert into t values (?, ?)", scriptArgument=[odd, ""])
    assert code == 0, err
    assert target.sql("select a, b from t") == [(odd, "")]


def test_a_script_that_fails_leaves_the_data_as_it_was(target):
    target.sql("create table t (a int)")
    code, out, err = target.run("insert into t values (1); insert into nowhere values (2)")
    assert code == 1
    assert target.sql("select a from t") == []
    assert last(out)["errorId"] == "NotFound"
    assert "statement 2 of 2 (INSERT)" in err
    assert target.address.password not in out + err


def test_a_script_with_transactions_of_its_own_keeps_them(target):
    target.sql("create table t (a int)")
    code, _, err = target.run("begin; insert into t values (1); commit; begin; insert into t values (2); rollback")
    assert code == 0, err
    assert target.sql("select a from t") == [(1,)]


def test_an_empty_script_is_refused(target):
    code, out, _ = target.run(" -- nothing\n")
    assert code == 2
    assert "holds no statement" in last(out)["errorMessage"]


def test_the_wrong_password_is_told_and_nothing_is_tried_twice(target):
    code, out, _ = target.run("select 1", database=target.database(**{"*password": "the-wrong-password"}))
    assert (code, last(out)["errorId"]) == (1, "AccessDenied")
    assert "the-wrong-password" not in out


def test_a_script_in_s3_is_run_as_it_is(target, s3_client, s3_bucket):
    script = "\ufeffcreate table t (a varchar(40)); insert into t values ('#{name} \u20ac')"
    s3_client.put_object(Bucket=s3_bucket, Key="a b/script.sql", Body=script.encode())
    code, _, err = target.run(scriptUri=f"s3://{s3_bucket}/a b/script.sql")
    assert code == 0, err
    assert target.sql("select a from t") == [("#{name} \u20ac",)]


def test_a_script_that_is_missing_or_no_text_is_told(target_of, s3_client, s3_bucket):
    target = target_of("postgres")
    code, out, _ = target.run(scriptUri=f"s3://{s3_bucket}/none.sql")
    assert (code, last(out)["errorId"]) == (1, "NotFound")
    s3_client.put_object(Bucket=s3_bucket, Key="odd.sql", Body=b"select '\xff'")
    code, out, _ = target.run(scriptUri=f"s3://{s3_bucket}/odd.sql")
    assert code == 2
    assert "not UTF-8 (at byte 8)" in last(out)["errorMessage"]


def test_the_output_table_is_made_when_it_is_missing_and_only_then(target):
    node = {"type": "SqlDataNode", "id": "Out", "table": "made", "createTableSql": "create table made (a int)"}
    node["database"] = target.database()
    for _ in range(2):
        code, _, err = target.run("insert into made values (1)", output=node)
        assert code == 0, err
    assert target.sql("select a from made") == [(1,), (1,)]


def test_the_queue_is_the_query_group_of_redshift(target_of):
    target = target_of("redshift")
    code, _, err = target.run(
        "create table t as select current_setting('redshift.query_group')::varchar as q", queue="night's"
    )
    assert code == 0, err
    assert target.sql("select q from t") == [("night's",)]


def test_statements_that_servers_refuse_in_a_transaction_run_alone(target_of):
    target = target_of("redshift")
    code, out, err = target.run("create table t (a int); insert into t values (1); vacuum t; analyze t")
    assert code == 0, err
    assert not last(out)["details"]["one_transaction"]


def test_a_cancelled_script_stops_at_the_server_and_is_rolled_back(target):
    target.sql("create table t (a int)")
    process = target.start(f"insert into t values (1); {target.sleeping}")
    eventually(target.is_sleeping, "the script to sleep")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 143
    eventually(lambda: not target.is_sleeping(), "the server to stop")
    assert target.sql("select a from t") == []


def test_a_killed_script_leaves_the_data_as_it_was(target):
    target.sql("create table t (a int)")
    process = target.start(f"insert into t values (1); {target.sleeping}")
    eventually(target.is_sleeping, "the script to sleep")
    process.kill()
    process.communicate()
    assert target.sql("select a from t") == []
