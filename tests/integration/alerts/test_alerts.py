"""Failures of real agents, as they arrive at a topic."""

from __future__ import annotations

import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar


def alerting(topic, **more):
    return {"DUCTRUNNER_ALERTS_TOPIC": topic.arn, **more}


def test_a_failed_attempt_is_told_with_what_an_operator_needs(bench, topic):
    agent = bench.agent("--once", **alerting(topic))
    pipeline = bench.shell("echo 'disk quota reached' >&2; exit 3")
    attempt = bench.ended(pipeline)
    assert agent.wait() == 0
    [message] = topic.read()
    assert message["Subject"] == "Ductrunner: Work failed: CommandFailed"
    text = message["Message"]
    place = f"{agent.output}/logs/{pipeline}/Work"
    expected = (pipeline, "Work (ShellCommandActivity)", attempt["id"], "CommandFailed", bench.group, place)
    for part in (*expected, socket.gethostname(), "the command ended with exit status 3", "disk quota reached"):
        assert part in text
    assert text.count("disk quota reached") == 1


def test_a_good_attempt_is_not_told(ended_agent, topic):
    ended_agent("true", **alerting(topic))
    assert topic.read() == []


def test_the_topic_of_the_section_etl_is_the_default(ended_agent, topic):
    ended_agent("exit 1", DUCTRUNNER_ETL_SNS_TOPIC_ARN_FAILURE=topic.arn)
    assert len(topic.read()) == 1


def test_failures_of_different_pipelines_are_different_failures(ended_agent, topic):
    ended_agent("exit 3", "exit 4", "exit 5", **alerting(topic))
    assert [entry["Subject"] for entry in topic.read()] == ["Ductrunner: Work failed: CommandFailed"] * 3


def test_retries_of_one_step_are_one_message_and_a_summary(bench, topic):
    agent = bench.agent("--tasks=1", **alerting(topic))
    bench.all_ended(bench.shell("exit 3", maximumRetries="2"), 3)
    agent.process.terminate()
    assert agent.wait() == 0
    alert, summary = topic.read()
    assert alert["Subject"] == "Ductrunner: Work failed: CommandFailed"
    assert summary["Subject"].startswith("Ductrunner: 2 more failed attempts")
    assert "2  CommandFailed of Work in df-" in summary["Message"]


def test_a_failure_that_comes_again_after_a_while_says_how_many_were_left_out(bench, topic):
    quick = alerting(topic, DUCTRUNNER_ALERTS_REPEAT_AFTER="2")
    agent = bench.agent("--tasks=1", **quick)
    hold = bench.directory / "hold"
    pipeline = bench.shell(
        f"n=$(cat {hold} 2>/dev/null || echo 0); echo $((n+1)) >{hold}; [ $n -lt 2 ] || sleep 2; exit 3",
        maximumRetries="2",
    )
    bench.all_ended(pipeline, 3)
    agent.process.terminate()
    assert agent.wait() == 0
    _, again = topic.read()
    assert "1 more failures of this kind came before this one" in again["Message"]


def test_beyond_the_cap_of_the_hour_there_is_one_summary(ended_agent, topic):
    ended_agent("exit 1", "exit 2", "exit 3", **alerting(topic, DUCTRUNNER_ALERTS_PER_HOUR="1"))
    _, summary = topic.read()
    assert summary["Subject"].startswith("Ductrunner: 2 more failed attempts")


def test_no_row_data_and_no_secret_is_told(ended_agent, topic):
    ended_agent(
        "echo 'DETAIL:  Key (email)=(ann@example.com) already exists.' >&2; echo 'key hidden-in-plain' >&2; exit 3",
        **alerting(topic, DUCTRUNNER_REDSHIFT_HOST="h", DUCTRUNNER_REDSHIFT_DATABASE_NAME="d"),
        DUCTRUNNER_REDSHIFT_USERNAME="u",
        DUCTRUNNER_REDSHIFT_PASSWORD="hidden-in-plain",
    )
    [message] = topic.read()
    assert "Key (email)=(…) already exists." in message["Message"]
    assert "key [redacted]" in message["Message"]
    assert "ann@example.com" not in str(message)


def test_a_lost_attempt_is_told_and_a_cancelled_one_is_not(bench, topic):
    agent = bench.agent("--tasks=2", **alerting(topic, DUCTRUNNER_AGENT_REPORT_INTERVAL="0.2"))
    canceled, lost = bench.shell("sleep 600"), bench.shell("sleep 600")
    agent.wait_for("task_started", 2)
    [attempt] = bench.attempts(canceled)
    bench.client.set_status(pipelineId=canceled, objectIds=[attempt["@instanceParent"]], status="TRY_CANCEL")
    bench.client.delete_pipeline(pipelineId=lost)
    agent.wait_for("task_ended", 2)
    agent.process.terminate()
    assert agent.wait() == 0
    [message] = topic.read()
    assert lost in message["Message"]
    assert "Work was taken away from this worker." in message["Message"]


def test_an_attempt_whose_worker_died_is_told_by_the_next_start(bench, topic, await_condition):
    started = bench.directory / "started"
    bench.shell(f"touch {started}; sleep 99999")
    first = bench.agent()
    await_condition(started.exists, "the command to run")
    first.stop()
    bench.agent(**alerting(topic))
    [message] = topic.wait_for(1)
    assert "AttemptInterrupted" in message["Message"]
    assert "Work" in message["Message"]


def test_a_topic_that_is_not_there_costs_one_line_and_no_task(ended_agent, topic):
    agent = ended_agent("exit 1", "exit 2", DUCTRUNNER_ALERTS_TOPIC=f"{topic.arn}-none")
    [line] = agent.events("alert_failed")
    assert "cannot publish to" in line["error"]
    assert len(agent.events("task_ended")) == 2
    assert sum(entry["count"] for entry in agent.events("alerts_not_sent")) >= 2


def test_an_sns_that_never_answers_holds_up_neither_a_task_nor_the_agents_end(ended_agent):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        agent = ended_agent(
            "exit 1",
            "exit 2",
            "exit 3",
            DUCTRUNNER_ALERTS_TOPIC="arn:aws:sns:us-east-1:123456789012:silent",
            AWS_ENDPOINT_URL_SNS=f"http://127.0.0.1:{silent.getsockname()[1]}",
        )
    assert len(agent.events("task_ended")) == 3
    assert sum(entry["count"] for entry in agent.events("alerts_not_sent")) == 3
    assert time.monotonic() - begun < 30  # SNS has 4 s at the agent's end


def test_a_drain_with_nothing_to_tell_tells_nothing(bench, topic):
    agent = bench.agent(**alerting(topic))
    agent.wait_for("agent_started")
    agent.process.terminate()
    assert agent.wait() == 0
    assert agent.events("alerts_not_sent") == []
    assert topic.read() == []


class HandsOutNonsense(BaseHTTPRequestHandler):
    """A service whose first task is no task."""

    tasks: ClassVar[list[dict]] = []

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        polled = self.headers["X-Amz-Target"].endswith(".PollForTask")
        content = json.dumps({"taskObject": self.tasks.pop()} if polled and self.tasks else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Stay silent."""


def test_a_task_that_cannot_be_read_is_told_too(bench, topic):
    HandsOutNonsense.tasks[:] = [{"taskId": "t", "pipelineId": "df-1", "attemptId": "@Work_1_Attempt=1", "objects": 7}]
    with ThreadingHTTPServer(("127.0.0.1", 0), HandsOutNonsense) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        agent = bench.agent("--once", f"--endpoint=http://127.0.0.1:{server.server_port}", **alerting(topic))
        assert agent.wait() == 0, agent.text
        server.shutdown()
    [message] = topic.read()
    assert message["Subject"].endswith("TaskMalformed")
    assert "df-1" in message["Message"]
