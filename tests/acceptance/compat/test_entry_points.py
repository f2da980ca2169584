"""The seven entry points of compiled Dataduct definitions, with their flags."""

from __future__ import annotations

import json

import pytest

from tests.integration.control.conftest import Topic

DDL = "CREATE TABLE dev.t (id INTEGER PRIMARY KEY, description VARCHAR(50))"
#: What Dataduct compiles for an upsert (its statements one to six).
UPSERT = """
CREATE TEMPORARY TABLE t_temp (id INTEGER, description VARCHAR(50), PRIMARY KEY (id));
INSERT INTO t_temp (SELECT * FROM dev.source);
DELETE FROM dev.t WHERE (id) IN (SELECT DISTINCT id FROM t_temp);
INSERT INTO dev.t (SELECT * FROM t_temp);
DROP TABLE IF EXISTS t_temp CASCADE
"""


@pytest.fixture(autouse=True)
def schema(compiled):
    compiled.warehouse("CREATE SCHEMA dev")


def put(s3_client, bucket, key, body):
    s3_client.put_object(Bucket=bucket, Key=key, Body=body)
    return f"s3://{bucket}/{key}"


def test_create_load_redshift_reads_what_dataducts_extract_has_written(compiled, s3_client, s3_bucket):
    put(s3_client, s3_bucket, "data/part-0000", b"1\tone\n2\tNULL\n")
    put(s3_client, s3_bucket, "data/part-0001", b"3\ta\\\tb\n4\t\n")
    words = ["--table_definition", DDL, "--s3_input_paths", f"s3://{s3_bucket}/data/"]
    for _ in range(2):
        done = compiled.call("create_load_redshift:create_load_redshift_runner", *words)
        assert done.returncode == 0, done.stderr
    rows = compiled.warehouse("SELECT id, description FROM dev.t ORDER BY id")
    assert rows == [(1, "one"), (2, None), (3, "a\tb"), (4, "")]


def test_create_load_redshift_takes_several_paths_and_options(compiled, s3_client, s3_bucket):
    paths = [put(s3_client, s3_bucket, f"in{n}/f", f"{n}|x{n}\n".encode()) for n in (1, 2)]
    words = [
        f"--table_definition={DDL}",
        "--command_options",
        "DELIMITER '|' NULL AS 'NULL'",
        "--s3_input_paths",
        *paths,
    ]
    done = compiled.call("create_load_redshift:create_load_redshift_runner", *words)
    assert done.returncode == 0, done.stderr
    assert compiled.warehouse("SELECT id, description FROM dev.t ORDER BY id") == [(1, "x1"), (2, "x2")]


def test_an_unknown_flag_is_an_error(compiled):
    words = [f"--table_definition={DDL}", "--s3_input_paths", "s3://b/k", "--no_such_flag"]
    assert compiled.call("create_load_redshift:create_load_redshift_runner", *words).returncode == 2


def test_sql_runner_runs_a_compiled_upsert_in_one_transaction(compiled):
    compiled.warehouse("CREATE TABLE dev.source (id INTEGER, description VARCHAR(50))")
    compiled.warehouse("INSERT INTO dev.source VALUES (1, 'new'), (2, 'two')")
    done = compiled.call("runner:sql_runner", f"--table_definition={DDL}", f"--sql={UPSERT}", "--analyze")
    assert done.returncode == 0, done.stderr
    compiled.warehouse("UPDATE dev.source SET description = 'newer' WHERE id = 1")
    assert compiled.call("runner:sql_runner", f"--table_definition={DDL}", f"--sql={UPSERT}").returncode == 0
    assert compiled.warehouse("SELECT id, description FROM dev.t ORDER BY id") == [(1, "newer"), (2, "two")]


def test_sql_runner_leaves_nothing_of_a_script_that_fails(compiled):
    script = "INSERT INTO dev.t VALUES (1, 'x'); INSERT INTO dev.nowhere VALUES (1)"
    done = compiled.call("runner:sql_runner", f"--table_definition={DDL}", f"--sql={script}")
    assert done.returncode == 1
    assert "statement 2 of 2" in done.stderr
    assert compiled.warehouse("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'dev'") == [(0,)]


def test_arguments_of_sql_runner_are_values(compiled, s3_client, s3_bucket):
    uri = put(s3_client, s3_bucket, "src/fill.sql", b"INSERT INTO dev.t VALUES (%s, %s); -- 100%% of it\n")
    done = compiled.call("runner:sql_runner", f"--table_definition={DDL}", f"--sql={uri}", "7", "it's; 100%")
    assert done.returncode == 0, done.stderr
    assert compiled.warehouse("SELECT id, description FROM dev.t") == [(7, "it's; 100%")]


def test_script_runner_runs_a_script_of_the_staged_directory(compiled, tmp_path):
    directory = tmp_path / "staged"
    directory.mkdir()
    (directory / "helper.sh").write_text("#!/bin/sh\necho helped $1\n")
    (directory / "main.sh").write_text('#!/bin/sh\n"$(dirname "$0")/helper.sh" "$@"\nexit $2\n')
    words = ["--INPUT_SRC_ENV_VAR=INPUT1_STAGING_DIR", "--SCRIPT_NAME=main.sh", "me", "0"]
    done = compiled.call("runner:script_runner", *words, INPUT1_STAGING_DIR=str(directory))
    assert (done.returncode, done.stdout) == (0, "helped me\n")
    assert compiled.call("runner:script_runner", *words[:-1], "3", INPUT1_STAGING_DIR=str(directory)).returncode == 3
    assert compiled.call("runner:script_runner", *words, INPUT1_STAGING_DIR="/nowhere").returncode == 1


def test_script_runner_needs_no_configuration_and_no_first_line_and_hands_arguments_over(compiled, tmp_path):
    directory = tmp_path / "staged"
    directory.mkdir()
    (directory / "main.sh").write_text('[[ $0 == */main.sh ]] && printf "<%s>" "$@"; kill -TERM $$')
    arguments = ["--name='?'", "it's", "$HOME", "a b", "", "--INPUT=x"]
    words = ["--SCRIPT_NAME", "main.sh", "--INPUT_SRC_ENV_VAR", "INPUT2_STAGING_DIR", *arguments]
    places = {"INPUT2_STAGING_DIR": str(directory), "DATADUCT_CONFIG_PATH": "/nowhere"}
    done = compiled.call("runner:script_runner", *words, **places)
    assert done.stdout == "<--name='?'><it's><$HOME><a b><><--INPUT=x>", done.stderr
    assert done.returncode == -15


def test_without_a_configuration_the_error_says_what_is_missing_and_nothing_is_run(compiled, monkeypatch):
    words = [f"--table_definition={DDL}", "--s3_input_paths", "s3://no-such-bucket/k"]
    done = compiled.call("create_load_redshift:create_load_redshift_runner", *words, DATADUCT_CONFIG_PATH="/nowhere")
    assert (done.returncode, "redshift" in done.stderr) == (2, True)
    assert "Traceback" not in done.stderr


def test_primary_key_check_fails_without_a_topic_and_goes_on_with_one(compiled, aws_environment, s3_client, s3_bucket):
    compiled.warehouse("CREATE TABLE dev.t (id INTEGER, description VARCHAR(50))")
    assert compiled.call("primary_key_check:primary_key_check", f"--table={DDL}").returncode == 0
    compiled.warehouse("INSERT INTO dev.t VALUES (1, 'a'), (1, 'b')")
    assert compiled.call("primary_key_check:primary_key_check", f"--table={DDL}").returncode == 3
    topic = Topic()
    words = [f"--table={DDL}", "--test_name=nightly.check", "--sns_topic_arn", topic.arn, "--log_to_s3"]
    told = compiled.call("primary_key_check:primary_key_check", *words, "--path_suffix=x")
    assert told.returncode == 0, told.stderr
    [message] = topic.messages()
    assert message["Subject"] == "Failure on nightly.check"
    [row] = s3_client.list_objects_v2(Bucket=s3_bucket, Prefix="dev/qa/dba_table_qa_tests/x/")["Contents"]
    body = s3_client.get_object(Bucket=s3_bucket, Key=row["Key"])["Body"].read().decode()
    assert body.split("\t")[:3] == ["dev", "t", "nightly"]


@pytest.mark.parametrize(("rows", "status"), [(100, 0), (99, 0), (90, 3)])
def test_count_check_compares_two_counts_within_its_tolerance(compiled, rows, status):
    numbers = ",".join(f"({n})" for n in range(100))
    compiled.source("CREATE TABLE s (id INT)", f"INSERT INTO s VALUES {numbers}")
    compiled.warehouse("CREATE TABLE dev.t (id INTEGER)")
    compiled.warehouse(f"INSERT INTO dev.t VALUES {','.join(f'({n})' for n in range(rows))}")
    words = ["--source_sql=SELECT COUNT(1) FROM s", "--destination_sql=SELECT COUNT(1) FROM dev.t", "--tolerance=1.0"]
    done = compiled.call("count_check:count_check", *words, f"--source_host={compiled.alias}")
    assert done.returncode == status, done.stderr
    details = json.loads(done.stdout)
    assert str(rows) in json.dumps(details)


@pytest.mark.parametrize(("changed", "status"), [(False, 0), (True, 3)])
def test_column_check_compares_the_joined_columns_of_a_sample(compiled, changed, status):
    compiled.source(
        "CREATE TABLE s (id INT, a VARCHAR(9), b VARCHAR(9))", "INSERT INTO s VALUES (1,'x','y'),(2,NULL,'z')"
    )
    compiled.warehouse("CREATE TABLE dev.t (id INTEGER, a VARCHAR(9), b VARCHAR(9))")
    compiled.warehouse(f"INSERT INTO dev.t VALUES (1, '{'w' if changed else 'x'}', 'y'), (2, NULL, 'z'), (3, 'q', 'q')")
    joined = "COALESCE(CONCAT(a, ''), ''), COALESCE(CONCAT(b, ''), '')"
    source = f"SELECT id, CONCAT({joined}) AS merged_string FROM (SELECT * FROM s) AS origin LIMIT LIMIT_PLACEHOLDER"
    there = f"SELECT id, ( {joined.replace('), C', ')||C')} ) FROM dev.t WHERE (id) IN PRIMARY_KEY_SET"
    words = [f"--source_sql={source}", f"--destination_sql={there}", "--sample_size=100", "--tolerance=1.0"]
    done = compiled.call("column_check:column_check", *words, f"--source_host={compiled.alias}")
    assert done.returncode == status, done.stderr


def test_dependency_check_waits_for_nothing_when_nothing_is_listed(compiled, datapipeline_environment):
    words = ["--pipeline_name=p", "--refresh_rate=300", "--start_date=2030-01-01", "--sns_topic_arn=None"]
    assert compiled.call("dependency_check:dependency_check", *words, "--dependencies").returncode == 0
    missing = compiled.call("dependency_check:dependency_check", *words, "--dependencies", "nowhere")
    assert missing.returncode == 1
    assert "Pipeline not found" in missing.stderr


def test_a_compiled_pipeline_runs_unchanged_through_the_agent(bench, compiled, s3_client, s3_bucket):
    put(s3_client, s3_bucket, "data/part-0", b"1\tone\n")
    module = "dataduct.steps.executors.create_load_redshift"
    function = "create_load_redshift_runner"
    work = {
        "id": "Work",
        "type": "ShellCommandActivity",
        "command": f'python -c "from {module} import {function}; {function}()" "$@"',
        "scriptArgument": [f"--table_definition={DDL}", "--s3_input_paths", f"s3://{s3_bucket}/data/"],
        "maximumRetries": "0",
    }
    bench.agent("--once", DATADUCT_CONFIG_PATH=str(compiled.config))
    pipeline = bench.run(work)
    attempt = bench.ended(pipeline)
    assert attempt["@status"] == "FINISHED", attempt
    assert compiled.warehouse("SELECT id, description FROM dev.t") == [(1, "one")]
