"""The service is slow, throttles, loses connections or answers with errors."""

from __future__ import annotations

import pytest


def test_a_status_survives_errors_and_lost_connections(bench):
    pipeline = bench.shell("exit 5")
    bench.control("faults", operation="SetTaskStatus", fault="error", count=1)
    bench.control("faults", operation="SetTaskStatus", fault="error", code="ThrottlingException", status=400, count=1)
    bench.control("faults", operation="SetTaskStatus", fault="drop-before", count=1)
    agent = bench.agent("--once")
    assert bench.ended(pipeline)["errorId"] == "CommandFailed"
    assert agent.wait() == 0


def test_a_status_whose_answer_was_lost_is_not_an_error(bench):
    pipeline = bench.shell("true")
    bench.control("faults", operation="SetTaskStatus", fault="drop-after", count=1)
    agent = bench.agent("--once")
    assert bench.ended(pipeline)["@status"] == "FINISHED"
    assert agent.wait() == 0


def test_a_status_that_is_refused_arrives_without_its_texts(bench):
    pipeline = bench.shell("exit 5")
    bench.control("faults", operation="SetTaskStatus", fault="error", status=400, code="InvalidRequestException")
    agent = bench.agent("--once")
    attempt = bench.ended(pipeline)
    assert attempt["errorId"] == "CommandFailed"
    assert "errorMessage" not in attempt
    assert agent.wait() == 0


@pytest.mark.parametrize(
    "code", ["ThrottlingException", "Throttling", "RequestLimitExceeded", "TooManyRequestsException"]
)
def test_throttling_slows_the_poller_down_and_does_not_stop_it(bench, code):
    bench.control("faults", operation="PollForTask", fault="error", status=400, code=code)
    pipeline = bench.shell("true")
    agent = bench.agent("--once")
    assert bench.ended(pipeline)["@status"] == "FINISHED"
    failed = agent.events("poll_failed")
    assert [line["error_id"] for line in failed] == ["Throttled"]
    assert failed[0]["retry_in"] > 0


def test_an_acknowledgement_is_tried_again(bench):
    pipeline = bench.shell("true")
    bench.control("faults", operation="ReportTaskProgress", fault="error", count=2)
    bench.agent("--once")
    assert bench.ended(pipeline)["@status"] == "FINISHED"


def test_silence_for_longer_than_the_ownership_window_ends_the_work(bench, sleeper):
    inside = sleeper()
    bench.shell(inside.command)
    agent = bench.agent("--once", DUCTRUNNER_AGENT_REPORT_INTERVAL="0.2", DUCTRUNNER_AGENT_OWNERSHIP_WINDOW="1")
    inside.wait_for(1)
    bench.control("faults", operation="ReportTaskProgress", fault="error", count=1000)
    try:
        assert agent.wait() == 0
    finally:
        bench.control_delete("faults")
    assert agent.events("task_ended")[0]["status"] == "lost"
    inside.wait_for(0)


def test_a_service_that_is_away_at_start_is_waited_for(bench):
    bench.control("faults", operation="PollForTask", fault="drop-before", count=2)
    pipeline = bench.shell("true")
    bench.agent("--once")
    assert bench.ended(pipeline)["@status"] == "FINISHED"


def test_an_unknown_host_is_said_and_tried_again(bench):
    agent = bench.agent("--endpoint=http://no-such-host.invalid:1")
    line = agent.wait_for("poll_failed")
    assert line["error_id"] == "StoreUnreachable"
    assert "no-such-host.invalid" in line["error"]
