"""Preconditions that a worker evaluates: who is given them, what FALSE means, and what becomes of their owner."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

SHELL = {"type": "ShellCommandPrecondition", "command": "test -e #{node.myFile}"}
CASCADE = {"failureAndRerunMode": "cascade", "maximumRetries": "0"}


def test_a_precondition_is_a_task_of_its_own_and_its_owner_waits_for_it(
    service: Any, make_activity: Any, make_object: Any, field_of: Any
) -> None:
    ready = make_object("Ready", **SHELL, scriptArgument=["a", "b"], preconditionTimeout="1 hour")
    pipeline = service.run(make_activity("A", precondition=">Ready", myFile="/tmp/x"), ready)
    assert service.statuses(pipeline) == {"A": "WAITING_ON_DEPENDENCIES", "Ready": "WAITING_FOR_RUNNER"}
    owner = service.instance(pipeline, "A")
    task = service.take()
    attempt = task["objects"][task["attemptId"]]
    assert field_of(attempt, "type") == "ShellCommandPrecondition"
    assert field_of(attempt, "command") == "test -e /tmp/x"
    assert [each["stringValue"] for each in attempt["fields"] if each["key"] == "scriptArgument"] == ["a", "b"]
    assert field_of(attempt, "node") == owner["id"]
    assert field_of(task["objects"][owner["id"]], "type") == "ShellCommandActivity"
    assert {field_of(attempt, key) for key in ("@sphere", "@componentParent", "@pipelineId")} == {
        *("ATTEMPT", "Ready", pipeline)
    }
    assert field_of(attempt, "preconditionTimeout") == "1 hour"
    service.client.report_task_progress(
        taskId=task["taskId"], fields=[{"key": "currentRetryCount", "stringValue": "3"}]
    )
    assert field_of(service.instance(pipeline, "Ready"), "currentRetryCount") == "3"
    service.finish(task)
    assert service.statuses(pipeline) == {"A": "WAITING_FOR_RUNNER", "Ready": "FINISHED"}
    service.finish(service.take())
    assert service.state(pipeline) == "FINISHED"


def test_an_expression_in_the_context_of_a_precondition_knows_its_node(
    service: Any, make_activity: Any, make_object: Any
) -> None:
    pipeline = service.run(make_activity("A", precondition=">Ready", myFile="x"), make_object("Ready", **SHELL))
    guard, owner = service.instance(pipeline, "Ready")["id"], service.instance(pipeline, "A")["id"]
    asked = {"pipelineId": pipeline, "objectId": guard, "expression": "#{node.@id} #{node.name} #{node.myFile}"}
    assert service.client.evaluate_expression(**asked)["evaluatedExpression"] == f"{owner} A x"
    described = service.describe(pipeline, guard, evaluateExpressions=True)[0]
    assert {"key": "command", "stringValue": "test -e x"} in described["fields"]


@pytest.mark.parametrize(
    ("objects", "group"),
    [
        ({"A": {"workerGroup": "own"}, "Ready": {}}, "own"),
        ({"A": {"runsOn": ">Machine"}, "Ready": {}}, "managed"),
        ({"A": {"workerGroup": "#{myGroup}", "myGroup": "computed"}, "Ready": {}}, "computed"),
        ({"A": {"workerGroup": "own"}, "Ready": {"workerGroup": "its"}}, "its"),
        ({"A": {"workerGroup": "own"}, "Ready": {"runsOn": ">Machine"}}, "managed"),
    ],
)
def test_the_worker_group_comes_from_the_activity_unless_the_precondition_names_one(
    service: Any, make_activity: Any, make_object: Any, objects: dict[str, dict[str, str]], group: str
) -> None:
    machine = make_object("Machine", type="Ec2Resource", role="r", resourceRole="rr")
    ready = make_object("Ready", type="Exists", **objects["Ready"])
    service.run(make_activity("A", precondition=">Ready", **objects["A"]), ready, machine)
    assert service.take(group)["attemptId"].startswith("@Ready_")


def test_the_precondition_of_a_data_node_goes_to_the_group_of_the_activity_that_uses_it(
    service: Any, make_activity: Any, make_object: Any, field_of: Any
) -> None:
    node = make_object("In", type="S3DataNode", filePath="s3://b/x", precondition=">Ready")
    pipeline = service.run(
        make_activity("Write", output=">In", workerGroup="writers"),
        make_activity("Read", input=">In", workerGroup="readers"),
        make_object("Ready", type="Exists"),
        node,
    )
    assert service.poll("readers") is None
    service.finish(service.take("writers"))
    task = service.take("readers")
    attempt = task["objects"][task["attemptId"]]
    assert field_of(task["objects"][field_of(attempt, "node")], "filePath") == "s3://b/x"
    service.finish(task)
    assert service.statuses(pipeline)["In"] == "FINISHED"
    assert service.take("readers")["attemptId"].startswith("@Read_")


def test_an_activity_may_wait_for_the_precondition_of_a_node_that_it_only_depends_on(
    service: Any, make_activity: Any, make_object: Any
) -> None:
    node = make_object("Flag", type="S3DataNode", filePath="s3://b/x", precondition=">Ready")
    service.run(make_activity("A", dependsOn=">Flag"), make_object("Ready", type="Exists"), node)
    task = service.take()
    assert task["attemptId"].startswith("@Ready_")
    service.finish(task)
    assert service.take()["attemptId"].startswith("@A_")


def test_false_is_for_preconditions_only(service: Any, make_activity: Any) -> None:
    service.run(make_activity("A"))
    task = service.take()
    with pytest.raises(ClientError, match="FALSE is for preconditions"):
        service.finish(task, "FALSE")


def test_false_is_tried_again_until_the_time_is_over(
    service: Any, make_activity: Any, make_object: Any, field_of: Any
) -> None:
    timing = {"preconditionTimeout": "10 minutes", "retryDelay": "4 minutes", "maximumRetries": "0"}
    ready = make_object("Ready", **SHELL, **timing)
    pipeline = service.run(make_activity("A", precondition=">Ready", myFile="x"), ready)
    for number in (1, 2, 3):
        task = service.take()
        assert task["attemptId"].endswith(f"_Attempt={number}")
        service.finish(task, "FALSE", errorMessage=f"look {number}")
        service.finish(task, "FALSE")
        if number < 3:
            assert service.statuses(pipeline) == {"A": "WAITING_ON_DEPENDENCIES", "Ready": "SCHEDULED"}
            service.advance(240)
    assert service.statuses(pipeline) == {"A": "CASCADE_FAILED", "Ready": "FAILED"}
    assert field_of(service.instance(pipeline, "Ready"), "errorMessage") == "look 3"
    service.advance(3600)
    assert service.poll() is None


def test_without_a_time_false_counts_as_a_failed_attempt(service: Any, make_activity: Any, make_object: Any) -> None:
    ready = make_object("Ready", **SHELL, maximumRetries="1", retryDelay="2 minutes")
    pipeline = service.run(make_activity("A", precondition=">Ready", myFile="x"), ready)
    service.finish(service.take(), "FALSE")
    service.advance(120)
    service.finish(service.take(), "FALSE")
    assert service.statuses(pipeline) == {"A": "CASCADE_FAILED", "Ready": "FAILED"}


def test_false_can_be_the_end(start_service: Any, make_activity: Any, make_object: Any, field_of: Any) -> None:
    service = start_service("--precondition-false", "fail")
    ready = make_object("Ready", **SHELL, preconditionTimeout="1 day")
    pipeline = service.run(make_activity("A", precondition=">Ready", myFile="x"), ready)
    service.finish(service.take(), "FALSE")
    assert service.statuses(pipeline) == {"A": "CASCADE_FAILED", "Ready": "FAILED"}
    assert field_of(service.instance(pipeline, "Ready"), "errorId") == "Service_PreconditionFalse"


def test_an_owner_may_follow_its_failure_mode_instead(start_service: Any, make_activity: Any, make_object: Any) -> None:
    service = start_service("--precondition-failed", "failure-mode")
    ready = make_object("Ready", **SHELL, maximumRetries="0")
    pipeline = service.run(make_activity("A", precondition=">Ready", myFile="x"), ready)
    service.finish(service.take(), "FAILED")
    assert service.statuses(pipeline) == {"A": "WAITING_ON_DEPENDENCIES", "Ready": "FAILED"}
    service.set_status(pipeline, "RERUN", "Ready")
    service.finish(service.take())
    assert service.take()["attemptId"].startswith("@A_")


def test_a_precondition_that_nobody_takes_fails_when_its_time_is_over(
    service: Any, make_activity: Any, make_object: Any, field_of: Any
) -> None:
    ready = make_object("Ready", **SHELL, preconditionTimeout="30 minutes")
    pipeline = service.run(make_activity("A", precondition=">Ready", myFile="x"), ready)
    service.advance(1799)
    assert service.statuses(pipeline)["Ready"] == "WAITING_FOR_RUNNER"
    service.advance(1)
    assert service.statuses(pipeline) == {"A": "CASCADE_FAILED", "Ready": "FAILED"}
    assert field_of(service.instance(pipeline, "Ready"), "errorId") == "Service_PreconditionTimedOut"
    assert service.poll() is None


def test_a_worker_that_has_it_may_say_so_itself(service: Any, make_activity: Any, make_object: Any) -> None:
    ready = make_object("Ready", **SHELL, preconditionTimeout="4 minutes")
    pipeline = service.run(make_activity("A", precondition=">Ready", myFile="x"), ready)
    task = service.take()
    for _ in range(5):
        service.advance(60)
        assert service.acknowledge(task) is False
    service.finish(task, "FALSE")
    assert service.statuses(pipeline) == {"A": "CASCADE_FAILED", "Ready": "FAILED"}
    other = service.run(make_activity("A", precondition=">Ready", myFile="x"), ready)
    task = service.take()
    for _ in range(9):
        service.advance(59)
        service.acknowledge(task)
    service.advance(59)
    assert service.statuses(other)["Ready"] == "FAILED"


def test_the_preconditions_of_what_fails_with_another_are_canceled(
    service: Any, make_activity: Any, make_object: Any, field_of: Any
) -> None:
    ready = make_object("Ready", **SHELL)
    pipeline = service.run(
        make_activity("A"),
        make_activity("B", dependsOn=">A", precondition=">Ready", myFile="x"),
        ready,
        default=CASCADE,
    )
    assert service.statuses(pipeline)["Ready"] == "WAITING_ON_DEPENDENCIES"
    waiting = service.instance(pipeline, "Ready")
    assert field_of(waiting, "@waitingOn") == service.instance(pipeline, "A")["id"]
    service.finish(service.take(), "FAILED")
    assert service.statuses(pipeline) == {"A": "FAILED", "B": "CASCADE_FAILED", "Ready": "CANCELED"}
    service.set_status(pipeline, "RERUN", "A")
    assert service.statuses(pipeline)["Ready"] == "WAITING_ON_DEPENDENCIES"
    service.finish(service.take())
    service.finish(service.take())
    service.finish(service.take())
    assert service.state(pipeline) == "FINISHED"


def test_an_owner_that_is_canceled_takes_its_precondition_along_and_back(
    service: Any, make_activity: Any, make_object: Any
) -> None:
    pipeline = service.run(make_activity("A", precondition=">Ready", myFile="x"), make_object("Ready", **SHELL))
    task = service.take()
    service.set_status(pipeline, "TRY_CANCEL", "A")
    assert service.acknowledge(task) is True
    assert service.statuses(pipeline) == {"A": "CANCELED", "Ready": "CANCELED"}
    service.set_status(pipeline, "RERUN", "A")
    service.finish(service.take())
    assert service.take()["attemptId"].startswith("@A_")


def test_a_failed_precondition_is_what_is_to_be_rerun(service: Any, make_activity: Any, make_object: Any) -> None:
    ready = make_object("Ready", **SHELL, maximumRetries="0")
    pipeline = service.run(make_activity("A", precondition=">Ready", myFile="x"), ready)
    service.finish(service.take(), "FALSE")
    service.set_status(pipeline, "RERUN", "A")
    assert service.statuses(pipeline) == {"A": "CASCADE_FAILED", "Ready": "FAILED"}
    service.set_status(pipeline, "RERUN", "Ready")
    assert service.statuses(pipeline) == {"A": "WAITING_ON_DEPENDENCIES", "Ready": "WAITING_FOR_RUNNER"}
    service.finish(service.take())
    service.finish(service.take())
    assert service.state(pipeline) == "FINISHED"


def test_a_precondition_or_its_owner_can_be_marked_finished(service: Any, make_activity: Any, make_object: Any) -> None:
    pipeline = service.run(
        make_activity("A", precondition=">Ready", myFile="x"),
        make_activity("B", precondition=">Other", myFile="x"),
        make_object("Ready", **SHELL),
        make_object("Other", **SHELL),
    )
    service.set_status(pipeline, "MARK_FINISHED", "Ready", "B")
    assert service.statuses(pipeline) == {
        "A": "WAITING_FOR_RUNNER",
        "B": "FINISHED",
        "Ready": "FINISHED",
        "Other": "CANCELED",
    }
    service.finish(service.take())
    assert service.state(pipeline) == "FINISHED"


def test_a_deactivated_pipeline_evaluates_again_what_was_at_a_worker(
    service: Any, make_activity: Any, make_object: Any
) -> None:
    pipeline = service.run(
        make_activity("A", precondition=[">Ready", ">Other"], myFile="x"),
        make_object("Ready", **SHELL),
        make_object("Other", **SHELL),
    )
    task = service.take()
    service.client.deactivate_pipeline(pipelineId=pipeline)
    assert service.acknowledge(task) is True
    assert service.poll() is None
    assert service.state(pipeline) == "INACTIVE"
    assert service.statuses(pipeline)["A"] == "INACTIVE"


def test_a_scheduled_pipeline_goes_on_after_its_deactivation(
    service: Any, make_activity: Any, make_object: Any
) -> None:
    hourly = make_object("H", type="Schedule", period="1 hour", occurrences="1", startAt="FIRST_ACTIVATION_DATE_TIME")
    pipeline = service.run(
        make_activity("A", precondition=[">Ready", ">Other"], myFile="x"),
        make_object("Ready", **SHELL),
        make_object("Other", **SHELL),
        hourly,
        default={"scheduleType": "cron", "schedule": ">H"},
    )
    service.take()
    service.client.deactivate_pipeline(pipelineId=pipeline)
    service.client.activate_pipeline(pipelineId=pipeline)
    assert service.statuses(pipeline)["A"] == "WAITING_ON_DEPENDENCIES"
    service.finish(service.take())
    service.finish(service.take())
    service.finish(service.take())
    assert service.state(pipeline) == "FINISHED"


def test_a_time_that_ends_while_the_pipeline_is_deactivated_ends_with_its_activation(
    service: Any, make_activity: Any, make_object: Any
) -> None:
    hourly = make_object("H", type="Schedule", period="1 hour", occurrences="1", startAt="FIRST_ACTIVATION_DATE_TIME")
    pipeline = service.run(
        make_activity("A", precondition=">Ready", myFile="x"),
        make_object("Ready", **SHELL, preconditionTimeout="10 minutes"),
        hourly,
        default={"scheduleType": "cron", "schedule": ">H"},
    )
    service.client.deactivate_pipeline(pipelineId=pipeline)
    service.advance(3000)
    assert service.statuses(pipeline) == {"A": "INACTIVE", "Ready": "INACTIVE"}
    service.client.activate_pipeline(pipelineId=pipeline)
    service.advance(1)
    assert service.statuses(pipeline) == {"A": "CASCADE_FAILED", "Ready": "FAILED"}


def test_a_pause_holds_a_precondition_back(service: Any, make_activity: Any, make_object: Any) -> None:
    pipeline = service.run(make_activity("A", precondition=">Ready", myFile="x"), make_object("Ready", **SHELL))
    service.client.set_status(pipelineId=pipeline, objectIds=["Ready"], status="PAUSE")
    assert service.poll() is None
    service.client.set_status(pipelineId=pipeline, objectIds=["Ready"], status="RESUME")
    assert service.take()["attemptId"].startswith("@Ready_")


def test_each_occurrence_has_its_own_precondition(service: Any, make_activity: Any, make_object: Any) -> None:
    hourly = make_object("H", type="Schedule", period="1 hour", occurrences="2", startAt="FIRST_ACTIVATION_DATE_TIME")
    pipeline = service.run(
        make_activity("A", precondition=">Ready", myFile="#{@scheduledStartTime}"),
        make_object("Ready", **SHELL),
        hourly,
        default={"scheduleType": "cron", "schedule": ">H"},
    )
    commands = set()
    for _ in range(2):
        task = service.take()
        commands.update(
            each["stringValue"] for each in task["objects"][task["attemptId"]]["fields"] if each["key"] == "command"
        )
        service.finish(task)
        service.finish(service.take())
        service.advance(3600)
    assert len(commands) == 2
    assert service.state(pipeline) == "FINISHED"


def test_a_killed_service_remembers_all_of_it(start_service: Any, make_activity: Any, make_object: Any) -> None:
    service = start_service()
    timing = {"preconditionTimeout": "10 minutes", "retryDelay": "4 minutes"}
    pipeline = service.run(
        make_activity("A", precondition=">Ready", myFile="x"), make_object("Ready", **SHELL, **timing)
    )
    service.kill_and_restart()
    service.finish(service.take(), "FALSE")
    service.kill_and_restart()
    service.advance(240)
    task = service.take()
    service.kill_and_restart()
    service.advance(60)
    service.acknowledge(task)
    service.finish(task, "FALSE")
    service.kill_and_restart()
    service.advance(240)
    service.kill_and_restart()
    service.advance(60)
    assert service.statuses(pipeline) == {"A": "CASCADE_FAILED", "Ready": "FAILED"}
