"""The numbers that a real agent writes into its log."""

from __future__ import annotations

import json
import signal
import socket

from tests.integration.agent.conftest import eventually
from tests.integration.logs.conftest import streams  # noqa: F401  # a fixture
from tests.unit.health.emf_schema import check


def lines_of(agent):
    return [line for line in agent.text.splitlines() if '"action": "metrics"' in line]


def test_its_lines_are_metrics_and_nothing_is_left_out_at_the_end(bench, s3_client, s3_bucket):
    s3_client.put_object(Bucket=s3_bucket, Key="in/a", Body=b"x" * 1000)
    agent = bench.agent("--tasks=1", DUCTRUNNER_AGENT_METRICS_INTERVAL="0.2")
    work = {"id": "Work", "type": "ShellCommandActivity", "command": "true", "stage": "true", "maximumRetries": "0"}
    node = {"id": "In", "type": "S3DataNode", "directoryPath": f"s3://{s3_bucket}/in"}
    bench.ended(bench.run(node, {**work, "input": {"ref": "In"}}))
    for code in (0, 1, 1):
        bench.ended(bench.shell(f"exit {code}"))
    retried = bench.shell("exit 3", maximumRetries="1")
    bench.all_ended(retried, 2)
    eventually(lambda: len(agent.events("metrics")) > 3, "some lines")
    agent.process.terminate()
    assert agent.wait() == 0
    documents = [check(line) for line in lines_of(agent)]
    main = [document for document in documents if "Host" in document]
    assert sum(document["TasksFinished"] for document in main) == 2
    assert sum(document["TasksFailed"] for document in main) == 4
    assert sum(document["Retries"] for document in main) == 1
    assert sum(document["StagedBytesIn"] for document in main) == 1000
    assert sum(len(document.get("RunTime", [])) for document in main) == 6
    assert main[-1]["DiskFree"] > 0
    assert {document["WorkerGroup"] for document in documents} == {bench.group}
    types = [document for document in documents if document.get("Type") == "ShellCommandActivity"]
    assert sum(document.get("TasksFailed", 0) for document in types) == 4


def test_statuses_that_do_not_arrive_are_counted_by_error(bench):
    agent = bench.agent(DUCTRUNNER_AGENT_METRICS_INTERVAL="0.2")
    agent.wait_for("agent_started")
    bench.control("faults", operation="SetTaskStatus", fault="error", count=2, status=500, code="InternalServiceError")
    try:
        assert bench.ended(bench.shell("true"))["@status"] == "FINISHED"
    finally:
        bench.control_delete("faults")
    agent.process.terminate()
    assert agent.wait() == 0
    documents = [check(line) for line in lines_of(agent)]
    assert sum(document["StatusErrors"] for document in documents if "Host" in document) == 2
    assert sum(document.get("StatusErrors", 0) for document in documents if "ErrorId" in document) == 2


def test_a_line_is_an_agent_line_like_any_other(bench):
    agent = bench.agent(DUCTRUNNER_AGENT_METRICS_INTERVAL="0.2")
    agent.wait_for("metrics")
    line = json.loads(lines_of(agent)[0])
    assert {"time", "level", "action", "thread", "_aws"} <= set(line)


def test_cloudwatch_logs_gets_the_lines_as_they_are(bench, streams):  # noqa: F811  # a fixture by its name
    agent = bench.agent(DUCTRUNNER_AGENT_METRICS_INTERVAL="60")
    bench.ended(bench.shell("exit 1"))
    agent.process.send_signal(signal.SIGTERM)
    assert agent.wait() == 0
    shipped = [line for line in streams.messages(f"agent/{socket.gethostname()}") if '"_aws"' in line]
    documents = [check(line) for line in shipped]
    assert [document["TasksFailed"] for document in documents if "Host" in document] == [1]


def test_logs_that_cannot_be_sent_are_the_backlog(bench):
    nobody = {"AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": "http://127.0.0.1:9", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    agent = bench.agent(DUCTRUNNER_AGENT_METRICS_INTERVAL="0.2", **nobody)
    bench.ended(bench.shell("head -c 100000 /dev/zero | tr '\\0' x"))

    def waiting():
        return [line for line in agent.events("metrics") if line.get("LogBacklog", 0) > 100_000]

    eventually(waiting, "a backlog")
