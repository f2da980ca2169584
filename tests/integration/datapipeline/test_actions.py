"""onFail and onSuccess: messages through a real SNS, what they say, when they come, and when not."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest

ALARM = {"type": "SnsAlarm", "role": "r"}
NO_RETRY = {"maximumRetries": "0"}


def alarm(make_object: Any, inbox: Any, object_id: str = "Alarm", **fields: str) -> Any:
    given = {"topicArn": inbox.arn, "subject": "#{node.name}", "message": "#{node.@status}"} | fields
    return make_object(object_id, **ALARM, **given)


def test_a_message_tells_of_the_last_failure_and_not_of_those_before(
    connected: Any, make_activity: Any, make_object: Any, field_of: Any, inbox: Any
) -> None:
    text = (
        "#{node.@id} of #{node.@pipelineId} #{node.@scheduledStartTime} #{node.@status}\n"
        "#{node.errorId}: #{node.errorMessage}; trace: #{node.errorStackTrace}. #{node.output.directoryPath}"
    )
    pipeline = connected.run(
        make_activity("A", onFail=">Alarm", output=">Out", maximumRetries="1"),
        make_object("Out", type="S3DataNode", directoryPath="s3://b/#{@pipelineId}"),
        alarm(make_object, inbox, subject="Failed: #{node.name}", message=text),
    )
    connected.finish(connected.take(), "FAILED", errorId="First", errorMessage="first")
    connected.advance(600)
    connected.finish(connected.take(), "FAILED", errorId="Second", errorMessage="#{not} an expression")
    owner = connected.instance(pipeline, "A")
    expected = (
        f"{owner['id']} of {pipeline} {field_of(owner, '@scheduledStartTime')} FAILED\n"
        f"Second: #{{not}} an expression; trace: . s3://b/{pipeline}"
    )
    inbox.await_messages(("Failed: A", expected))


def test_the_action_is_seen_as_an_instance_with_an_attempt(
    connected: Any, make_activity: Any, make_object: Any, field_of: Any, inbox: Any
) -> None:
    pipeline = connected.run(make_activity("A", onSuccess=">Alarm"), alarm(make_object, inbox))
    connected.finish(connected.take())
    connected.await_statuses(pipeline, A="FINISHED", Alarm="FINISHED")
    action, owner = connected.instance(pipeline, "Alarm"), connected.instance(pipeline, "A")
    assert field_of(action, "node") == owner["id"]
    assert field_of(owner, "onSuccess") == action["id"]
    attempt = connected.describe(pipeline, field_of(action, "@headAttempt"))[0]
    assert {field_of(attempt, key) for key in ("subject", "message", "@status")} == {"A", "FINISHED"}
    assert field_of(attempt, "node") == owner["id"]
    assert connected.state(pipeline) == "FINISHED"
    inbox.await_messages(("A", "FINISHED"))


def test_an_object_may_have_several_actions_and_inherit_them(
    connected: Any, make_activity: Any, make_object: Any, inbox: Any
) -> None:
    pipeline = connected.run(
        make_activity("A", onSuccess=[">Alarm", ">Other", ">Alarm"], output=">Out"),
        make_object("Out", type="S3DataNode", directoryPath="s3://b/x"),
        alarm(make_object, inbox),
        alarm(make_object, inbox, "Other", subject="other"),
        default={"onSuccess": ">Alarm"},
    )
    connected.finish(connected.take())
    connected.await_statuses(pipeline, Other="FINISHED")
    inbox.await_messages(("A", "FINISHED"), ("other", "FINISHED"), ("Out", "FINISHED"))


def test_what_fails_with_another_tells_so_and_what_is_canceled_does_not(
    connected: Any, make_activity: Any, make_object: Any, inbox: Any
) -> None:
    pipeline = connected.run(
        make_activity("A"),
        make_activity("B", dependsOn=">A"),
        make_activity("C"),
        alarm(make_object, inbox),
        default={"onFail": ">Alarm", "failureAndRerunMode": "cascade", **NO_RETRY},
    )
    connected.set_status(pipeline, "TRY_CANCEL", "C")
    connected.finish(connected.take(), "FAILED")
    inbox.await_messages(("A", "FAILED"), ("B", "CASCADE_FAILED"))


def test_a_precondition_has_actions_too(connected: Any, make_activity: Any, make_object: Any, inbox: Any) -> None:
    ready = make_object("Ready", type="Exists", onFail=">Alarm", **NO_RETRY)
    connected.run(
        make_activity("A", precondition=">Ready", onFail=">Alarm"),
        make_activity("B", precondition=">Ready"),
        ready,
        alarm(make_object, inbox, message="#{node.@status}#{node.@noSuchField}"),
    )
    for _ in range(2):
        connected.finish(connected.take(), "FALSE")
    inbox.await_messages(("A", "CASCADE_FAILED"), ("Ready", "FAILED"), ("Ready", "FAILED"))


def test_each_rerun_tells_again(
    connected: Any, make_activity: Any, make_object: Any, field_of: Any, inbox: Any
) -> None:
    pipeline = connected.run(make_activity("A", onFail=">Alarm", **NO_RETRY), alarm(make_object, inbox))
    connected.finish(connected.take(), "FAILED")
    connected.await_statuses(pipeline, Alarm="FINISHED")
    connected.set_status(pipeline, "RERUN", "A")
    connected.finish(connected.take(), "FAILED")
    connected.await_fields(pipeline, "Alarm", **{"@status": "FINISHED"})
    inbox.await_messages(("A", "FAILED"), ("A", "FAILED"))
    assert field_of(connected.instance(pipeline, "Alarm"), "@headAttempt").endswith("_Attempt=2")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"topicArn": "arn:aws:sns:us-east-1:123456789012:none"}, "publish to arn:aws:sns:us-east-1:123456789012:none"),
        ({"topicArn": "arn:aws:sns:us-east-1:28619EXAMPLE:ExampleTopic"}, "ExampleTopic"),
        ({"message": "#{format(node.name, 'YYYY')}"}, "message"),
    ],
)
def test_a_message_that_cannot_be_sent_says_why_and_harms_nothing(
    connected: Any, make_activity: Any, make_object: Any, field_of: Any, inbox: Any, fields: dict[str, str], reason: str
) -> None:
    pipeline = connected.run(make_activity("A", onSuccess=">Alarm"), alarm(make_object, inbox, **fields))
    connected.finish(connected.take())
    connected.await_statuses(pipeline, A="FINISHED", Alarm="FAILED")
    assert reason in field_of(connected.instance(pipeline, "Alarm"), "errorMessage")
    assert connected.state(pipeline) == "FINISHED"


def test_secrets_are_not_sent(connected: Any, make_activity: Any, make_object: Any, inbox: Any) -> None:
    database = make_object(
        *("Db",),
        type="RdsDatabase",
        rdsInstanceId="i",
        username="u",
        star_password="alarming-secret-7",
    )
    connected.run(
        make_activity("A", onSuccess=">Alarm", myDatabase=">Db"),
        alarm(make_object, inbox, message="password: #{node.myDatabase.*password}"),
        database,
    )
    connected.finish(connected.take())
    inbox.await_messages(("A", "password: [redacted]"))


def test_a_message_that_was_under_way_when_the_service_was_killed_is_sent_afterwards_once(
    start_service: Any, make_activity: Any, make_object: Any, inbox: Any, aws_environment: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        service = start_service("--aws-endpoint", f"http://127.0.0.1:{silent.getsockname()[1]}")
        pipeline = service.run(
            make_activity("A", onSuccess=">Alarm", star_mySecret="alarming-secret-9"),
            alarm(make_object, inbox, message="#{node.*mySecret}"),
        )
        service.finish(service.take())
        service.await_statuses(pipeline, Alarm="RUNNING")
        service.kill_and_restart("--aws-endpoint", aws_environment)
    service.await_statuses(pipeline, Alarm="FINISHED")
    for _ in range(3):
        service.kill_and_restart()
    assert service.state(pipeline) == "FINISHED"
    inbox.await_messages(("A", "[redacted]"))


def test_a_deactivated_pipeline_still_tells_what_has_happened(
    start_service: Any, make_activity: Any, make_object: Any, inbox: Any, aws_environment: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        service = start_service("--aws-endpoint", f"http://127.0.0.1:{silent.getsockname()[1]}")
        pipeline = service.run(
            make_activity("A", onFail=">Alarm", **NO_RETRY), make_activity("B", **NO_RETRY), alarm(make_object, inbox)
        )
        service.finish(service.take(), "FAILED")
        service.client.deactivate_pipeline(pipelineId=pipeline)
        deleted = service.run(make_activity("A", onFail=">Alarm", **NO_RETRY), alarm(make_object, inbox, subject="no"))
        service.finish(service.take(), "FAILED")
        service.client.delete_pipeline(pipelineId=deleted)
        service.kill_and_restart("--aws-endpoint", aws_environment)
    inbox.await_messages(("A", "FAILED"))
    service.await_statuses(pipeline, Alarm="FINISHED", B="INACTIVE")
    assert service.state(pipeline) == "INACTIVE"


def test_kills_lose_no_message_and_repeat_at_most_those_that_were_under_way(
    start_service: Any, make_activity: Any, make_object: Any, inbox: Any, aws_environment: str
) -> None:
    service = start_service("--aws-endpoint", aws_environment)
    kills, of_each = 4, 10
    names = [f"A{number}" for number in range(kills * of_each)]
    activities = [make_activity(name, onSuccess=">Alarm") for name in names]
    pipeline = service.run(*activities, alarm(make_object, inbox, message="#{node.@id}"))
    for _ in range(kills):
        for _ in range(of_each):
            service.finish(service.take())
        service.kill_and_restart()
    limit = time.monotonic() + 60
    while service.state(pipeline) != "FINISHED":
        assert time.monotonic() < limit, service.log()
        time.sleep(0.01)
    told = [subject for subject, _ in inbox.messages()]
    assert set(told) == set(names)
    assert len(told) <= len(names) + 2 * kills  # the service sends two at once
