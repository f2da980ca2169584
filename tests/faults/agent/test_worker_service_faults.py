"""The service is slow, throttles, loses connections or answers with errors."""

from __future__ import annotations

import threading

import pytest

from agent.sources.datapipeline import LOST
from agent.sources.endpoint import find_endpoint
from core.errors import AccessDenied, OwnershipLost, RequestRefused, StoreUnreachable, Throttled
from stores.json_client import JsonClient


def test_a_status_survives_errors_and_lost_connections(served):
    served.control("faults", operation="SetTaskStatus", fault="error", count=1)
    served.control("faults", operation="SetTaskStatus", fault="error", code="ThrottlingException", status=400, count=1)
    served.control("faults", operation="SetTaskStatus", fault="drop-before", count=1)
    pipeline = served.shell("exit 5")
    assert served.ended(pipeline)["errorId"] == "CommandFailed"


def test_a_status_whose_answer_was_lost_is_not_an_error(served):
    served.control("faults", operation="SetTaskStatus", fault="drop-after", count=1)
    pipeline = served.shell("true")
    assert served.ended(pipeline)["@status"] == "FINISHED"
    again = served.shell("true")  # the worker goes on
    assert served.ended(again)["@status"] == "FINISHED"


def test_a_status_that_is_refused_arrives_without_its_texts(served):
    served.control("faults", operation="SetTaskStatus", fault="error", status=400, code="InvalidRequestException")
    pipeline = served.shell("exit 5")
    attempt = served.ended(pipeline)
    assert attempt["errorId"] == "CommandFailed"
    assert "errorMessage" not in attempt


def test_throttling_slows_the_poller_down_and_does_not_stop_it(served):
    before = len(served.worker.events("poll_failed"))
    served.control("faults", operation="PollForTask", fault="error", status=400, code="ThrottlingException")
    first = served.shell("true")  # the open poll brings it, and the next poll is throttled
    failed = served.worker.wait_for("poll_failed", count=before + 1)
    assert failed["error_id"] == "Throttled"
    assert failed["retry_in"] > 0
    second = served.shell("true")
    assert [served.ended(pipeline)["@status"] for pipeline in (first, second)] == ["FINISHED"] * 2


@pytest.fixture
def client(bench):
    endpoint = find_endpoint(bench.endpoint, None, None, None)
    lost = dict.fromkeys(LOST, OwnershipLost)
    made = JsonClient(endpoint, target="DataPipeline", service="datapipeline", timeout=20.0, errors=lost)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "ThrottlingException", Throttled),
        (400, "Throttling", Throttled),
        (400, "RequestLimitExceeded", Throttled),
        (400, "TooManyRequestsException", Throttled),
        (400, "TaskNotFoundException", OwnershipLost),
        (400, "PipelineDeletedException", OwnershipLost),
        (400, "PipelineNotFoundException", OwnershipLost),
        (400, "InvalidRequestException", RequestRefused),
        (400, "AccessDeniedException", AccessDenied),
        (403, "SomethingException", AccessDenied),
        (500, "InternalServiceError", StoreUnreachable),
        (503, "ServiceUnavailable", StoreUnreachable),
    ],
)
def test_an_error_code_becomes_the_error_that_the_callers_act_on(bench, client, status, code, error):
    bench.control("faults", operation="ListPipelines", fault="error", status=status, code=code)
    with pytest.raises(error, match="ListPipelines"):
        client.call("ListPipelines", {})
    assert "pipelineIdList" in client.call("ListPipelines", {})


def test_a_lost_connection_is_said_and_the_next_call_works(bench, client):
    bench.control("faults", operation="ListPipelines", fault="drop-before")
    with pytest.raises(StoreUnreachable):
        client.call("ListPipelines", {})
    client.call("ListPipelines", {})


def test_a_kept_connection_that_was_closed_is_replaced(bench, client):
    client.call("ListPipelines", {})
    bench.control("faults", operation="ListPipelines", fault="drop-before")
    client.call("ListPipelines", {})


def test_closing_breaks_off_an_open_poll(bench, client, await_condition):
    ended = []

    def poll():
        try:
            client.call("PollForTask", {"workerGroup": bench.group})
        except StoreUnreachable as error:
            ended.append(error)

    thread = threading.Thread(target=poll)
    thread.start()
    await_condition(lambda: client._guard._connections, "the poll to be under way")
    client.close()
    thread.join(10)
    assert len(ended) == 1


def test_an_acknowledgement_is_tried_again(served):
    served.control("faults", operation="ReportTaskProgress", fault="error", count=2)
    pipeline = served.shell("true")
    assert served.ended(pipeline)["@status"] == "FINISHED"


def test_reports_go_three_times_in_the_report_progress_timeout_of_a_task(bench, await_condition):
    fifo = bench.directory / "go"
    told = """echo '{"progress": {"phase": "copy"}}' > $DUCTRUNNER_RESULT"""
    pipeline = bench.shell(f"mkfifo {fifo}; {told}; cat {fifo}", reportProgressTimeout="2 seconds")
    bench.agent("--once", DUCTRUNNER_AGENT_REPORT_INTERVAL="3600")
    await_condition(lambda: [entry for entry in bench.attempts(pipeline) if entry.get("step") == "copy"], "a report")
    fifo.write_text("go")
    assert bench.ended(pipeline)["@status"] == "FINISHED"


def test_silence_for_longer_than_the_tasks_own_timeout_ends_the_work(bench, sleeper):
    """After ``reportProgressTimeout`` the service gives it to somebody else, however long the agent's window is."""
    inside = sleeper()
    bench.shell(inside.command, reportProgressTimeout="1 second")
    agent = bench.agent("--once")
    inside.wait_for(1)
    bench.control("faults", operation="ReportTaskProgress", fault="error", count=10_000)
    try:
        assert agent.wait_for("task_ended")["status"] == "lost"
    finally:
        bench.control_delete("faults")
    inside.wait_for(0)


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
