"""The life of a task: delivery, acknowledgement, ownership, time-out, outcome, retries."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


def test_a_task_goes_from_waiting_over_running_to_finished(service: Any, make_activity: Any, field_of: Any) -> None:
    pipeline = service.run(make_activity("A"))
    assert service.statuses(pipeline) == {"A": "WAITING_FOR_RUNNER"}
    task = service.take()
    assert task["attemptId"] == service.instance(pipeline, "A")["id"] + "_Attempt=1"
    assert service.acknowledge(task) is False
    assert service.statuses(pipeline) == {"A": "RUNNING"}
    service.finish(task)
    instance = service.instance(pipeline, "A")
    assert field_of(instance, "@status") == "FINISHED"
    assert field_of(instance, "@actualStartTime") <= field_of(instance, "@actualEndTime")
    assert service.state(pipeline) == "FINISHED"


def test_a_task_that_is_not_acknowledged_is_handed_out_again_after_two_minutes(
    service: Any, make_activity: Any
) -> None:
    service.run(make_activity("A"))
    first = service.take()
    service.advance(119)
    assert service.poll() is None
    service.advance(2)
    second = service.take()
    assert second["attemptId"] == first["attemptId"]
    assert second["taskId"] != first["taskId"]
    with pytest.raises(ClientError) as caught:
        service.acknowledge(first)
    assert code(caught) == "TaskNotFoundException"
    assert service.acknowledge(second) is False


def test_a_worker_that_falls_silent_for_five_minutes_loses_its_task(service: Any, make_activity: Any) -> None:
    service.run(make_activity("A"))
    first = service.take()
    for _ in range(3):
        service.acknowledge(first)
        service.advance(299)
        assert service.poll() is None
    service.advance(2)
    assert service.take()["attemptId"] == first["attemptId"]


def test_report_progress_timeout_changes_the_window(service: Any, make_activity: Any) -> None:
    service.run(make_activity("A", reportProgressTimeout="20 minutes"))
    task = service.take()
    service.acknowledge(task)
    service.advance(1199)
    assert service.poll() is None
    service.advance(2)
    assert service.poll() is not None


def test_a_redelivered_task_may_keep_its_id(start_service: Any, make_activity: Any) -> None:
    service = start_service("--redelivery", "same-task", "--ownership-window", "900")
    service.run(make_activity("A"))
    first = service.take()
    service.advance(121)
    assert service.take()["taskId"] == first["taskId"]
    service.acknowledge(first)
    service.advance(899)
    assert service.poll() is None


def test_a_failed_attempt_is_tried_again_after_the_delay_and_as_often_as_allowed(
    service: Any, make_activity: Any, field_of: Any
) -> None:
    pipeline = service.run(make_activity("A", maximumRetries="1", retryDelay="5 minutes"))
    service.finish(service.take(), "FAILED", errorId="Broken", errorMessage="it broke", errorStackTrace="here")
    assert service.poll() is None
    assert service.statuses(pipeline) == {"A": "SCHEDULED"}
    service.advance(299)
    assert service.poll() is None
    service.advance(2)
    second = service.take()
    assert second["attemptId"].endswith("_Attempt=2")
    service.finish(second, "FAILED", errorId="Broken", errorMessage="it broke again")
    instance = service.instance(pipeline, "A")
    assert field_of(instance, "@status") == "FAILED"
    assert field_of(instance, "errorMessage") == "it broke again"
    assert field_of(instance, "@headAttempt") == second["attemptId"]
    first = service.describe(pipeline, second["attemptId"].replace("=2", "=1"))[0]
    assert [field_of(first, key) for key in ("@status", "errorId", "errorStackTrace")] == ["FAILED", "Broken", "here"]
    service.advance(86_400)
    assert service.poll() is None


def test_two_retries_after_ten_minutes_each_are_the_default(start_service: Any, make_object: Any) -> None:
    service = start_service()
    created = service.client.create_pipeline(name="bare", uniqueId="bare")["pipelineId"]
    activity = make_object("A", type="ShellCommandActivity", command="true", workerGroup="group")
    objects = [make_object("Default", scheduleType="ondemand"), activity]
    service.client.put_pipeline_definition(pipelineId=created, pipelineObjects=objects)
    service.client.activate_pipeline(pipelineId=created)
    for _ in range(2):
        service.finish(service.take(), "FAILED")
        service.advance(599)
        assert service.poll() is None
        service.advance(2)
    service.finish(service.take(), "FAILED")
    assert service.statuses(created) == {"A": "FAILED"}


def test_the_delay_is_at_least_two_minutes_unless_the_service_is_told_otherwise(
    service: Any, start_service: Any, make_activity: Any
) -> None:
    quick = start_service("--retry-delay-minimum", "0")
    for running, delay in ((service, 120), (quick, 1)):
        running.run(make_activity("A", retryDelay="1 second"))
        running.finish(running.take(), "FAILED")
        running.advance(delay - 0.5)
        assert running.poll() is None
        running.advance(1)
        assert running.poll() is not None


@pytest.mark.parametrize("answer", ["canceled", "task-not-found"])
def test_an_attempt_over_its_timeout_is_timed_out_and_tried_again(
    start_service: Any, make_activity: Any, answer: str
) -> None:
    service = start_service("--timeout-answer", answer)
    pipeline = service.run(make_activity("A", attemptTimeout="3 minutes", maximumRetries="1"))
    task = service.take()
    service.acknowledge(task)
    service.advance(181)
    assert service.statuses(pipeline, "ATTEMPT") == {"1": "TIMEDOUT"}
    if answer == "canceled":
        assert service.acknowledge(task) is True
    else:
        with pytest.raises(ClientError) as caught:
            service.acknowledge(task)
        assert code(caught) == "TaskNotFoundException"
    service.advance(600)
    assert service.take()["attemptId"].endswith("_Attempt=2")
    service.advance(181)
    assert service.statuses(pipeline) == {"A": "TIMEDOUT"}


def test_the_timeout_counts_from_the_first_delivery_across_redelivery(service: Any, make_activity: Any) -> None:
    pipeline = service.run(make_activity("A", attemptTimeout="3 minutes", maximumRetries="0"))
    service.take()
    service.advance(121)
    service.take()
    service.advance(60)
    assert service.statuses(pipeline) == {"A": "TIMEDOUT"}


def test_waiting_for_a_worker_is_not_part_of_the_timeout(service: Any, make_activity: Any) -> None:
    service.run(make_activity("A", attemptTimeout="3 minutes"))
    service.advance(7200)
    assert service.acknowledge(service.take()) is False


def test_the_same_outcome_twice_is_one_and_another_outcome_is_refused(service: Any, make_activity: Any) -> None:
    pipeline = service.run(make_activity("A", maximumRetries="3"))
    task = service.take()
    service.finish(task, "FAILED")
    service.finish(task, "FAILED")
    with pytest.raises(ClientError) as caught:
        service.finish(task, "FINISHED")
    assert code(caught) == "TaskNotFoundException"
    service.advance(601)
    assert service.take()["attemptId"].endswith("_Attempt=2")
    assert service.statuses(pipeline, "ATTEMPT") == {"1": "FAILED", "2": "WAITING_FOR_RUNNER"}


def test_progress_fields_are_shown_on_attempt_and_instance(service: Any, make_activity: Any, field_of: Any) -> None:
    pipeline = service.run(make_activity("A"))
    task = service.take()
    reported = [{"key": "percentComplete", "stringValue": "40"}, {"key": "attemptStatus", "stringValue": "copying"}]
    service.client.report_task_progress(taskId=task["taskId"], fields=reported)
    for shown in (service.describe(pipeline, task["attemptId"])[0], service.instance(pipeline, "A")):
        assert field_of(shown, "percentComplete") == "40"
        assert field_of(shown, "attemptStatus") == "copying"
        assert field_of(shown, "hostname") == "worker-1"
        assert field_of(shown, "reportProgressTime") is not None
    with pytest.raises(ClientError) as caught:
        service.client.report_task_progress(
            taskId=task["taskId"], fields=[{"key": "@status", "stringValue": "FINISHED"}]
        )
    assert code(caught) == "InvalidRequestException"


@pytest.mark.parametrize(
    "wrong", [{"errorId": "Service_Mine"}, {"errorStackTrace": "x" * 1025}, {"errorId": "x" * 1025}]
)
def test_an_outcome_over_the_documented_limits_is_refused_and_can_be_sent_again(
    service: Any, make_activity: Any, wrong: dict[str, str]
) -> None:
    pipeline = service.run(make_activity("A", maximumRetries="0"))
    task = service.take()
    with pytest.raises(ClientError) as caught:
        service.finish(task, "FAILED", **wrong)
    assert code(caught) == "InvalidRequestException"
    service.finish(task, "FAILED", errorId="Mine")
    assert service.statuses(pipeline) == {"A": "FAILED"}


def test_workers_get_tasks_of_exactly_their_group(service: Any, make_activity: Any) -> None:
    service.run(make_activity("A"))
    assert service.poll("Group") is None
    assert service.poll("group ") is None
    assert service.poll() is not None


def test_a_task_can_be_delivered_twice_on_purpose(service: Any, make_activity: Any) -> None:
    pipeline = service.run(make_activity("A"))
    first = service.take()
    service.acknowledge(first)
    service.control("POST", "duplicate", pipelineId=pipeline, attemptId=first["attemptId"])
    assert service.take()["attemptId"] == first["attemptId"]


def test_heartbeats_answer_terminate_when_control_says_so(service: Any) -> None:
    beat = service.client.report_task_runner_heartbeat
    assert beat(taskrunnerId="one", workerGroup="group")["terminate"] is False
    service.control("POST", "terminate", taskrunnerId="one")
    assert beat(taskrunnerId="one")["terminate"] is True
    assert beat(taskrunnerId="two")["terminate"] is False
    service.control("POST", "terminate", taskrunnerId="one", terminate=False)
    assert beat(taskrunnerId="one")["terminate"] is False
    assert set(service.control("GET", "runners")["taskrunners"]) == {"one", "two"}


def test_the_service_tells_how_often_a_task_was_handed_over_and_which_statuses_it_took(
    service: Any, make_activity: Any
) -> None:
    service.run(make_activity("A", maximumRetries="0"))
    service.take()
    service.advance(121)
    task = service.take()
    service.acknowledge(task)
    for _ in range(2):
        service.finish(task, "FAILED", errorId="Broken")
    with pytest.raises(ClientError):
        service.finish(task, "FINISHED")
    assert service.control("GET", "attempts")["attempts"] == [
        {
            "pipelineId": task["pipelineId"],
            "attemptId": task["attemptId"],
            "status": "FAILED",
            "errorId": "Broken",
            "deliveries": 2,
            "statuses": ["FAILED", "FAILED"],
        }
    ]
