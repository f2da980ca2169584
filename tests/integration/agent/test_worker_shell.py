"""What ShellCommandActivity gives its command, and what becomes of its output."""

from __future__ import annotations

import json
import re
import shutil
import socket

import pytest


def test_a_command_runs_and_the_task_is_finished(bench):
    pipeline = bench.shell("echo hello; echo careful >&2")
    agent = bench.agent("--once")
    assert bench.ended(pipeline)["@status"] == "FINISHED"
    assert agent.wait() == 0
    [out] = agent.output.glob("logs/*/Work/*/*/StdOutput")
    assert out.read_text() == "hello\n"
    assert out.with_name("StdError").read_text() == "careful\n"
    assert out.stat().st_mode & 0o777 == 0o600


def test_script_arguments_arrive_in_order_and_unchanged(served):
    pipeline = served.shell('printf "<%s>" "$@"', scriptArgument=["one", "two words", "$HOME", "*"])
    assert served.ended(pipeline)["@status"] == "FINISHED"
    assert served.log_of(pipeline) == "<one><two words><$HOME><*>"


def test_the_command_knows_its_pipeline_its_attempt_and_the_release(served):
    pipeline = served.shell(
        'printf "%s\\n" "$DUCTRUNNER_PIPELINE_ID" "$DUCTRUNNER_ATTEMPT_ID" "$DUCTRUNNER_TASK_ID"; command -v ductrunner'
    )
    attempt = served.ended(pipeline)
    lines = served.log_of(pipeline).splitlines()
    assert lines[:2] == [pipeline, attempt["id"]]
    [started] = [line for line in served.worker.events("task_started") if line["pipeline"] == pipeline]
    assert lines[2] == started["task"]
    assert lines[3] == served.worker.process.args[0]


def test_a_script_in_s3_is_run_with_its_arguments(served, s3_client, s3_bucket):
    s3_client.put_object(Bucket=s3_bucket, Key="bin//run.sh", Body=b"echo from-s3 $1\n")
    pipeline = served.shell(None, scriptUri=f"s3://{s3_bucket}/bin//run.sh", scriptArgument="first")
    assert served.ended(pipeline)["@status"] == "FINISHED"
    assert served.log_of(pipeline) == "from-s3 first\n"


def test_a_script_with_an_interpreter_line_is_read_by_that_interpreter(served):
    pipeline = served.shell("#!/usr/bin/env python3\nprint(sum(range(5)))\n")
    assert served.ended(pipeline)["@status"] == "FINISHED", served.ended(pipeline)
    assert served.log_of(pipeline) == "10\n"


@pytest.mark.parametrize("stage", ["true", "TRUE"])
def test_several_inputs_and_outputs_are_staged(served, s3_client, s3_bucket, stage):
    for key in ("in1/a.txt", "in1/deep/b.txt", "in2.txt", "in1x/not-mine"):
        s3_client.put_object(Bucket=s3_bucket, Key=key, Body=key.encode())
    base = f"s3://{s3_bucket}"
    pipeline = served.run(
        {"id": "In1", "type": "S3DataNode", "directoryPath": f"{base}/in1"},
        {"id": "In2", "type": "S3DataNode", "filePath": f"{base}/in2.txt"},
        {"id": "Out1", "type": "S3DataNode", "directoryPath": f"{base}//out1"},
        {"id": "Out2", "type": "S3DataNode", "directoryPath": f"{base}/out2/", "s3EncryptionType": "NONE"},
        {
            "id": "Work",
            "type": "ShellCommandActivity",
            "stage": stage,
            "input": [{"ref": "In1"}, {"ref": "In2"}],
            "output": [{"ref": "Out1"}, {"ref": "Out2"}],
            "maximumRetries": "0",
            "command": "set -e; cd $INPUT1_STAGING_DIR; find . -type f | sort > $OUTPUT1_STAGING_DIR/list; "
            "mkdir $OUTPUT2_STAGING_DIR/sub; cat $INPUT2_STAGING_DIR/in2.txt deep/b.txt > ${OUTPUT2_STAGING_DIR}/sub/x",
        },
    )
    assert served.ended(pipeline)["@status"] == "FINISHED", served.ended(pipeline)
    stored = {entry["Key"] for entry in s3_client.list_objects_v2(Bucket=s3_bucket)["Contents"]}
    assert {"/out1/list", "out2/sub/x"} <= stored
    assert s3_client.get_object(Bucket=s3_bucket, Key="/out1/list")["Body"].read() == b"./a.txt\n./deep/b.txt\n"
    assert s3_client.get_object(Bucket=s3_bucket, Key="out2/sub/x")["Body"].read() == b"in2.txtin1/deep/b.txt"
    assert not list(served.worker.output.glob("staging/*"))
    assert not list(served.worker.output.glob("tmp/*"))


def test_without_stage_nothing_is_staged(served, s3_bucket):
    pipeline = served.run(
        {"id": "In", "type": "S3DataNode", "directoryPath": f"s3://{s3_bucket}/not-there"},
        {
            "id": "Work",
            "type": "ShellCommandActivity",
            "command": "env | grep -c STAGING_DIR; true",
            "input": {"ref": "In"},
        },
    )
    assert served.ended(pipeline)["@status"] == "FINISHED", served.ended(pipeline)
    assert served.log_of(pipeline) == "0\n"


def test_stdout_and_stderr_fields_receive_the_output(served, s3_client, s3_bucket):
    local = served.directory / "deep" / "err.txt"
    pipeline = served.shell("echo out; echo err >&2", stdout=f"s3://{s3_bucket}/logs/out.txt", stderr=str(local))
    assert served.ended(pipeline)["@status"] == "FINISHED", served.ended(pipeline)
    assert s3_client.get_object(Bucket=s3_bucket, Key="logs/out.txt")["Body"].read() == b"out\n"
    assert local.read_text() == "err\n"


def test_attempt_logs_go_to_s3_under_the_names_of_taskrunner(served, s3_client, s3_bucket):
    root = f"s3://{s3_bucket}/a//b"
    pipeline = served.shell("echo out; echo err >&2", pipelineLogUri=root)
    attempt = served.ended(pipeline)
    base = f"a//b/{pipeline}/Work/{attempt['@instanceParent']}/{attempt['id']}"
    stored = {entry["Key"] for entry in s3_client.list_objects_v2(Bucket=s3_bucket)["Contents"]}
    assert stored == {f"{base}/StdOutput", f"{base}/StdError"}


def test_the_log_uri_of_the_agent_is_used_when_the_task_names_none(bench, s3_client, s3_bucket):
    pipeline = bench.shell("echo out; exit 4")
    bench.agent("--once", f"--logUri=s3://{s3_bucket}/fleet/")
    attempt = bench.ended(pipeline)
    uri = f"s3://{s3_bucket}/fleet/{pipeline}/Work/{attempt['@instanceParent']}/{attempt['id']}"
    assert f"\nlogs: {uri}\nused: 0." in attempt["errorMessage"]


def test_rows_and_bytes_of_the_result_file_reach_the_attempt(served):
    result = json.dumps({"status": "finished", "rows": 12, "bytes": 345})
    pipeline = served.shell(f"echo '{result}' > $DUCTRUNNER_RESULT")
    assert re.fullmatch(r"rows=12 bytes=345 \(\d+\.\d s CPU, \d+ MB\)", served.ended(pipeline)["attemptStatus"])


def test_what_a_good_attempt_has_used_reaches_the_attempt(served):
    pipeline = served.shell("python3 -c 'x = b\"x\" * 90_000_000; sum(range(20_000_000))'")
    status = served.ended(pipeline)["attemptStatus"]
    seconds, megabytes = re.fullmatch(r"\((\d+\.\d) s CPU, (\d+) MB\)", status).groups()
    assert float(seconds) > 0
    assert 90 <= int(megabytes) < 300


def test_progress_of_a_running_step_reaches_the_attempt(bench, await_condition):
    progress = {"phase": "copy", "rows": 7, "bytes": 9, "percent": 12.5, "hadoopJobLog": "http://rm/job_1"}
    result = json.dumps({"status": "running", "progress": progress})
    fifo = bench.directory / "go"
    pipeline = bench.shell(f"mkfifo {fifo}; echo '{result}' > $DUCTRUNNER_RESULT; cat {fifo}")
    bench.agent("--once", DUCTRUNNER_AGENT_REPORT_INTERVAL="0.1")
    await_condition(
        lambda: [entry for entry in bench.attempts(pipeline) if entry.get("attemptStatus") == "copy rows=7 bytes=9"],
        "progress on the attempt",
    )
    [attempt] = bench.attempts(pipeline)
    assert {key: attempt[key] for key in ("step", "rows", "bytes", "percentComplete", "hadoopJobLog", "hostname")} == {
        "step": "copy",
        "rows": "7",
        "bytes": "9",
        "percentComplete": "12.5",
        "hadoopJobLog": "http://rm/job_1",
        "hostname": socket.gethostname(),
    }
    fifo.write_text("go")
    assert bench.ended(pipeline)["@status"] == "FINISHED"


def test_the_error_of_a_step_is_reported_under_its_own_id(served):
    result = json.dumps({"status": "failed", "errorId": "LoadRejected", "errorMessage": "3 rows were refused"})
    pipeline = served.shell(f"echo '{result}' > $DUCTRUNNER_RESULT; exit 1")
    attempt = served.ended(pipeline)
    assert attempt["errorId"] == "LoadRejected"
    assert attempt["errorMessage"].startswith("3 rows were refused")


def test_a_task_whose_map_holds_the_attempt_only_is_resolved_by_asking(attempt_only_bench, s3_client, s3_bucket):
    bench = attempt_only_bench
    s3_client.put_object(Bucket=s3_bucket, Key="in/a", Body=b"content")
    pipeline = bench.run(
        {"id": "In", "type": "S3DataNode", "directoryPath": f"s3://{s3_bucket}/in/"},
        {
            "id": "Work",
            "type": "ShellCommandActivity",
            "command": "cat $INPUT1_STAGING_DIR/a",
            "stage": "true",
            "input": {"ref": "In"},
        },
    )
    bench.agent("--once")
    assert bench.ended(pipeline)["@status"] == "FINISHED", bench.ended(pipeline)
    assert bench.log_of(pipeline) == "content"


def test_the_agents_own_log_file_has_the_lines_of_stdout(bench):
    bench.shell("true")
    agent = bench.agent("--once")
    assert agent.wait() == 0
    [file] = agent.output.glob("logs/TaskRunner.log.????-??-??-??")
    lines = [json.loads(line)["action"] for line in file.read_text().splitlines()]
    assert lines[0] == "agent_started"
    assert {"task_started", "task_ended", "draining"} <= set(lines)
    assert lines[-1] == "agent_stopped"
    shutil.rmtree(agent.output)


def test_a_script_in_s3_gets_arguments_with_blanks_quotes_and_other_letters(served, s3_client, s3_bucket):
    arguments = ["two words", 'it\'s "quoted"', "日本 é", "$HOME `id`"]
    s3_client.put_object(Bucket=s3_bucket, Key="show.sh", Body=b'printf "<%s>" "$@"\n')
    pipeline = served.shell(None, scriptUri=f"s3://{s3_bucket}/show.sh", scriptArgument=arguments)
    assert served.ended(pipeline)["@status"] == "FINISHED", served.ended(pipeline)
    assert served.log_of(pipeline) == '<two words><it\'s "quoted"><日本 é><$HOME `id`>'


def test_a_command_may_be_as_long_as_a_field(served):
    rest = "x" * (10_240 - len("echo ; true"))
    pipeline = served.shell(f"echo {rest}; true")
    assert served.ended(pipeline)["@status"] == "FINISHED", served.ended(pipeline)
    assert served.log_of(pipeline) == f"{rest}\n"


def test_a_node_that_is_not_in_s3_is_the_commands_own_affair(served, s3_client, s3_bucket):
    s3_client.put_object(Bucket=s3_bucket, Key="in", Body=b"content")
    base = {"id": "Base", "type": "JdbcDatabase", "connectionString": "jdbc:mysql://h/d", "jdbcDriverClass": "d"}
    pipeline = served.run(
        {**base, "username": "u", "*password": "not-told-here"},
        {"id": "Table", "type": "SqlDataNode", "table": "t", "database": {"ref": "Base"}},
        {"id": "In", "type": "S3DataNode", "filePath": f"s3://{s3_bucket}/in"},
        {
            "id": "Work",
            "type": "ShellCommandActivity",
            "command": "env | grep -o '^INPUT[0-9]'; cat $INPUT2_STAGING_DIR/in; env",
            "stage": "true",
            "input": [{"ref": "Table"}, {"ref": "In"}],
        },
    )
    assert served.ended(pipeline)["@status"] == "FINISHED", served.ended(pipeline)
    assert served.log_of(pipeline).startswith("INPUT2\ncontent")
    assert "not-told-here" not in served.log_of(pipeline)


def test_a_second_delivery_keeps_what_the_first_has_written(bench, await_condition):
    first = bench.directory / "first"
    pipeline = bench.shell(f"test -e {first} && echo second || {{ touch {first}; echo first; sleep 9999; }}")
    agent = bench.agent(DUCTRUNNER_AGENT_REPORT_INTERVAL="0.1")
    await_condition(lambda: first.exists() and bench.log_of(pipeline) == "first\n", "the first to write")
    agent.process.kill()
    agent.process.wait()
    (agent.output / "journal").rename(bench.directory / "lost")  # so that it is delivered again, and not reported
    bench.control("clock", advance=301)
    bench.agent()
    assert bench.ended(pipeline)["id"].endswith("Attempt=1")
    assert bench.log_of(pipeline) == "first\nsecond\n"


@pytest.mark.parametrize("inherited", [True, False])
def test_a_command_gets_the_proxy_that_its_task_names_or_inherits(served, inherited):
    proxy = {"id": "Way", "type": "HttpProxy", "hostname": "proxy.example", "port": "3128"}
    work = {"id": "Work", "type": "ShellCommandActivity", "command": "printenv HTTPS_PROXY", "maximumRetries": "0"}
    named = {"httpProxy": {"ref": "Way"}}
    pipeline = served.run(proxy, work, **named) if inherited else served.run(proxy, {**work, **named})
    assert served.ended(pipeline)["@status"] == "FINISHED", served.ended(pipeline)
    assert served.log_of(pipeline) == "http://proxy.example:3128\n"
