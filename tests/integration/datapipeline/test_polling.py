"""Long polls, lost connections, injected faults, and many pipelines at once."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError


def open_poll(service: Any, group: str = "group") -> socket.socket:
    """Send a poll and leave the connection open."""
    body = json.dumps({"workerGroup": group}).encode()
    head = (
        f"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: DataPipeline.PollForTask\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    connection = socket.create_connection(("127.0.0.1", service.port), timeout=20)
    connection.sendall(head.encode() + body)
    return connection


def wait_for_polls(service: Any, number: int) -> None:
    """Wait until the service holds so many polls."""
    pause = threading.Event()
    for _ in range(1000):
        if service.control("GET", "health")["polls"] == number:
            return
        pause.wait(0.01)
    pytest.fail(f"the service never held {number} polls")


def test_a_waiting_poll_gets_the_task_the_moment_it_is_ready(start_service: Any, make_activity: Any) -> None:
    service = start_service("--poll-hold", "60")
    with open_poll(service) as connection:
        wait_for_polls(service, 1)
        service.run(make_activity("A"))
        assert b'"taskId"' in connection.recv(65536)


def test_each_of_many_waiting_polls_gets_one_task(start_service: Any, make_activity: Any) -> None:
    service = start_service("--poll-hold", "60")
    client = service.new_client(read_timeout=90, max_pool_connections=10)
    with ThreadPoolExecutor(8) as pool:
        polls = [pool.submit(client.poll_for_task, workerGroup="group") for _ in range(8)]
        wait_for_polls(service, 8)
        service.run(*[make_activity(f"A{n}") for n in range(8)])
        got = [poll.result(timeout=30)["taskObject"]["attemptId"] for poll in polls]
    client.close()
    assert len(set(got)) == 8


def test_a_client_that_has_gone_away_is_not_given_a_task(start_service: Any, make_activity: Any) -> None:
    service = start_service("--poll-hold", "60")
    gone = open_poll(service)
    wait_for_polls(service, 1)
    gone.close()
    with open_poll(service) as alive:
        wait_for_polls(service, 2)
        service.run(make_activity("A"))
        assert b"_Attempt=1" in alive.recv(65536)


def test_a_poll_ends_by_itself_when_its_time_is_over(service: Any) -> None:
    with open_poll(service) as connection:
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.endswith(b"{}")


def test_the_next_calls_can_be_made_to_fail(service: Any) -> None:
    service.control("POST", "faults", operation="ListPipelines", fault="error", count=2, status=400,
                    code="ThrottlingException", message="Rate exceeded")  # fmt: skip
    for _ in range(2):
        with pytest.raises(ClientError) as caught:
            service.client.list_pipelines()
        assert caught.value.response["Error"] == {"Code": "ThrottlingException", "Message": "Rate exceeded"}
    service.client.list_pipelines()
    service.control("POST", "faults", operation="*", fault="error")
    with pytest.raises(ClientError) as caught:
        service.client.list_pipelines()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert service.control("GET", "faults") == {"faults": []}


def test_a_call_can_lose_its_connection_before_or_after_its_work(service: Any) -> None:
    for fault, made in (("drop-before", 0), ("drop-after", 1)):
        service.control("POST", "faults", operation="CreatePipeline", fault=fault)
        with pytest.raises(ConnectionClosedError):
            service.client.create_pipeline(name="n", uniqueId="u")
        assert len(service.client.list_pipelines()["pipelineIdList"]) == made


def test_a_call_can_be_held(service: Any) -> None:
    service.control("POST", "faults", operation="ListPipelines", fault="delay", seconds=30)
    impatient = service.new_client(read_timeout=0.2)
    with pytest.raises(Exception, match="Read timeout"):
        impatient.list_pipelines()
    impatient.close()


@pytest.mark.parametrize(
    ("method", "name", "body"),
    [
        ("GET", "nothing", {}),
        ("POST", "clock", {"advance": -1}),
        ("POST", "clock", {"advance": "1"}),
        ("POST", "faults", {"operation": "*"}),
        ("POST", "faults", {"operation": "*", "fault": "quake"}),
        ("POST", "faults", {"operation": "*", "fault": "error", "colour": "red"}),
        ("POST", "faults", {"operation": "*", "fault": "error", "rate": 1.5}),
        ("POST", "faults", {"operation": "*", "fault": "error", "rate": "often"}),
        ("POST", "duplicate", {"pipelineId": "df-NONE", "attemptId": "x"}),
    ],
)
def test_wrong_control_requests_are_refused(service: Any, method: str, name: str, body: dict[str, Any]) -> None:
    status, answer, _ = service.raw(method, f"/_sandbox/{name}", json.dumps(body).encode())
    assert status == 400
    assert answer["message"]


def test_fifty_pipelines_of_twenty_steps_run_to_their_end(start_service: Any, make_activity: Any) -> None:
    service = start_service()
    steps = [make_activity(f"S{n}", **({"dependsOn": f">S{n - 1}"} if n else {})) for n in range(20)]
    done: dict[str, list[str]] = {service.run(*steps): [] for _ in range(50)}

    def work(_: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)

        def call(operation: str, **request: str) -> Any:
            connection.request("POST", "/", json.dumps(request), {"X-Amz-Target": f"DataPipeline.{operation}"})
            return json.loads(connection.getresponse().read())

        while task := call("PollForTask", workerGroup="group").get("taskObject"):
            call("ReportTaskProgress", taskId=task["taskId"])
            done[task["pipelineId"]].append(task["attemptId"].split("_")[0])
            call("SetTaskStatus", taskId=task["taskId"], taskStatus="FINISHED")
        connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))
    assert all(names == [f"@S{n}" for n in range(20)] for names in done.values())
    assert {service.state(pipeline) for pipeline in done} == {"FINISHED"}


def test_a_fault_with_a_rate_meets_its_share_of_all_calls_until_it_is_forgotten(service: Any) -> None:
    service.control("POST", "faults", operation="ListPipelines", fault="error", rate=0.3, seed=7)
    answers = []
    for _ in range(200):
        try:
            answers.append(service.client.list_pipelines() is not None)
        except ClientError:
            answers.append(False)
    [fault] = service.control("GET", "faults")["faults"]
    assert fault["met"] == answers.count(False)
    assert 30 < fault["met"] < 90
    service.control("DELETE", "faults")
    service.client.list_pipelines()
