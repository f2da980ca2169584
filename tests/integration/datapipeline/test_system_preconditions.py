"""Preconditions that the service evaluates itself, on a real S3 and DynamoDB."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import boto3
import pytest

ROLE = {"role": "r"}


@pytest.fixture
def table(aws_environment: str) -> Iterator[tuple[Any, str]]:
    """A DynamoDB client and the name of a table that is not there yet."""
    with closing(boto3.client("dynamodb")) as client:
        yield client, f"table-{secrets.token_hex(6)}"


def make_table(client: Any, name: str) -> None:
    key = {"AttributeName": "id", "AttributeType": "S"}
    client.create_table(
        TableName=name,
        AttributeDefinitions=[key],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )


def test_an_activity_waits_until_the_key_is_there(
    connected: Any,
    make_activity: Any,
    make_object: Any,
    field_of: Any,
    s3_client: Any,
    s3_bucket: str,
) -> None:
    ready = make_object("Ready", type="S3KeyExists", s3Key=f"s3://{s3_bucket}/a//b", **ROLE)
    pipeline = connected.run(make_activity("A", precondition=">Ready"), ready)
    connected.await_fields(pipeline, "Ready", currentRetryCount="1")
    assert connected.statuses(pipeline) == {"A": "WAITING_ON_DEPENDENCIES", "Ready": "RUNNING"}
    guard = connected.instance(pipeline, "Ready")
    owner = connected.instance(pipeline, "A")
    assert field_of(guard, "node") == owner["id"]
    assert field_of(owner, "@waitingOn") == guard["id"]
    assert field_of(guard, "hostname") == socket.gethostname()
    assert field_of(guard, "lastRetryTime") == connected.control("GET", "clock")["now"]
    s3_client.put_object(Bucket=s3_bucket, Key="a/b", Body=b"")
    connected.advance(60)
    connected.await_fields(pipeline, "Ready", currentRetryCount="2")
    s3_client.put_object(Bucket=s3_bucket, Key="a//b", Body=b"")
    connected.advance(59)
    assert connected.poll() is None
    connected.advance(1)
    connected.await_statuses(pipeline, A="WAITING_FOR_RUNNER", Ready="FINISHED")
    connected.finish(connected.take())
    assert connected.state(pipeline) == "FINISHED"


def test_an_activity_waits_for_the_precondition_of_the_data_node_that_it_reads(
    connected: Any, make_activity: Any, make_object: Any, s3_client: Any, s3_bucket: str
) -> None:
    node = make_object("In", type="S3DataNode", directoryPath=f"s3://{s3_bucket}/in", precondition=">Ready")
    ready = make_object("Ready", type="S3PrefixNotEmpty", s3Prefix="#{node.directoryPath}", **ROLE)
    pipeline = connected.run(make_activity("A", input=">In"), node, ready)
    connected.await_fields(pipeline, "Ready", currentRetryCount="1")
    assert connected.statuses(pipeline)["A"] == "WAITING_ON_DEPENDENCIES"
    s3_client.put_object(Bucket=s3_bucket, Key="in/part-0", Body=b"")
    connected.advance(60)
    connected.await_statuses(pipeline, Ready="FINISHED", In="FINISHED", A="WAITING_FOR_RUNNER")


def test_a_precondition_of_an_output_is_looked_at_when_it_has_been_written(
    connected: Any, make_activity: Any, make_object: Any, s3_client: Any, s3_bucket: str
) -> None:
    node = make_object("Out", type="S3DataNode", directoryPath=f"s3://{s3_bucket}/out", precondition=">Ready")
    ready = make_object("Ready", type="S3PrefixNotEmpty", s3Prefix="#{node.directoryPath}", **ROLE)
    pipeline = connected.run(make_activity("A", output=">Out"), make_activity("B", input=">Out"), node, ready)
    assert connected.statuses(pipeline) == {
        "A": "WAITING_FOR_RUNNER",
        "B": "WAITING_ON_DEPENDENCIES",
        "Out": "WAITING_ON_DEPENDENCIES",
        "Ready": "WAITING_ON_DEPENDENCIES",
    }
    s3_client.put_object(Bucket=s3_bucket, Key="out/part-0", Body=b"")
    connected.finish(connected.take())
    connected.await_statuses(pipeline, Ready="FINISHED", Out="FINISHED", B="WAITING_FOR_RUNNER")


def test_a_bucket_that_is_not_there_has_nothing_in_it(
    connected: Any, make_activity: Any, make_object: Any, field_of: Any
) -> None:
    bucket = f"none-{secrets.token_hex(6)}"
    pipeline = connected.run(
        make_activity("A", precondition=[">Ready", ">Key"]),
        make_object("Ready", type="S3PrefixNotEmpty", s3Prefix=f"s3://{bucket}/x", **ROLE),
        make_object("Key", type="S3KeyExists", s3Key=f"s3://{bucket}/x", **ROLE),
    )
    connected.await_fields(pipeline, "Ready", currentRetryCount="1")
    assert field_of(connected.instance(pipeline, "Ready"), "errorId") is None
    assert connected.poll() is None


def test_a_table_and_then_an_item_come_to_be(
    connected: Any, make_activity: Any, make_object: Any, field_of: Any, table: tuple[Any, str]
) -> None:
    client, name = table
    pipeline = connected.run(
        make_activity("A", precondition=[">Table", ">Ready"]),
        make_object("Table", type="DynamoDBTableExists", tableName=name, **ROLE),
        make_object("Ready", type="DynamoDBDataExists", tableName=name, region="us-east-1", **ROLE),
    )
    for waiting in ("Table", "Ready"):
        connected.await_fields(pipeline, waiting, currentRetryCount="1")
    make_table(client, name)
    connected.advance(60)
    connected.await_statuses(pipeline, Table="FINISHED", A="WAITING_ON_DEPENDENCIES", Ready="RUNNING")
    connected.await_fields(pipeline, "Ready", currentRetryCount="2")
    client.put_item(TableName=name, Item={"id": {"S": "1"}})
    connected.advance(60)
    connected.await_statuses(pipeline, Ready="FINISHED", A="WAITING_FOR_RUNNER")


def test_a_precondition_that_is_not_fulfilled_in_time_fails_and_with_it_what_waits_for_it(
    connected: Any, make_activity: Any, make_object: Any, field_of: Any, s3_bucket: str
) -> None:
    node = make_object("In", type="S3DataNode", directoryPath=f"s3://{s3_bucket}/in", precondition=">Ready")
    ready = make_object(
        "Ready", type="S3KeyExists", s3Key=f"s3://{s3_bucket}/x", preconditionTimeout="90 seconds", **ROLE
    )
    pipeline = connected.run(make_activity("A", input=">In"), make_activity("B", dependsOn=">A"), node, ready)
    connected.await_fields(pipeline, "Ready", currentRetryCount="1")
    connected.advance(60)
    connected.await_fields(pipeline, "Ready", currentRetryCount="2")
    connected.advance(30)
    connected.await_statuses(
        pipeline, Ready="FAILED", In="CASCADE_FAILED", A="CASCADE_FAILED", B="WAITING_ON_DEPENDENCIES"
    )
    guard = connected.instance(pipeline, "Ready")
    assert field_of(guard, "errorId") == "Service_PreconditionTimedOut"
    assert field_of(guard, "currentRetryCount") == "3"
    assert field_of(connected.instance(pipeline, "In"), "@cascadeFailedOn") == guard["id"]
    assert connected.ids(pipeline, "ATTEMPT") == [f"{guard['id']}_Attempt=1"]


def test_what_came_true_since_the_last_look_is_seen_at_the_deadline(
    connected: Any,
    make_activity: Any,
    make_object: Any,
    field_of: Any,
    s3_client: Any,
    s3_bucket: str,
) -> None:
    ready = make_object(
        "Ready", type="S3KeyExists", s3Key=f"s3://{s3_bucket}/x", preconditionTimeout="30 seconds", **ROLE
    )
    pipeline = connected.run(make_activity("A", precondition=">Ready"), ready)
    connected.await_fields(pipeline, "Ready", currentRetryCount="1")
    s3_client.put_object(Bucket=s3_bucket, Key="x", Body=b"")
    connected.advance(3600)
    connected.await_statuses(pipeline, Ready="FINISHED", A="WAITING_FOR_RUNNER")


def test_an_attempt_of_a_precondition_has_its_own_time_and_retries(
    connected: Any, make_activity: Any, make_object: Any, s3_bucket: str
) -> None:
    times = {"attemptTimeout": "100 seconds", "maximumRetries": "1"}
    ready = make_object("Ready", type="S3KeyExists", s3Key=f"s3://{s3_bucket}/x", **times, **ROLE)
    pipeline = connected.run(make_activity("A", precondition=">Ready"), ready)
    connected.await_fields(pipeline, "Ready", currentRetryCount="1")
    connected.advance(60)
    connected.await_fields(pipeline, "Ready", currentRetryCount="2")
    connected.advance(40)
    assert connected.statuses(pipeline)["Ready"] == "SCHEDULED"
    connected.advance(600)
    connected.await_fields(pipeline, "Ready", currentRetryCount="1")
    connected.advance(100)
    connected.await_statuses(pipeline, Ready="TIMEDOUT", A="CASCADE_FAILED")
    assert len(connected.ids(pipeline, "ATTEMPT")) == 2


def test_the_service_looks_as_often_as_the_precondition_says(
    connected: Any, make_activity: Any, make_object: Any, s3_bucket: str
) -> None:
    often = {"retryDelay": "10 seconds", "maximumRetries": "60"}
    base = make_object("Base", type="S3KeyExists", s3Key=f"s3://{s3_bucket}/x", **often, **ROLE)
    pipeline = connected.run(make_activity("A", precondition=">Ready"), base, make_object("Ready", parent=">Base"))
    for looks in range(1, 9):
        connected.await_fields(pipeline, "Ready", currentRetryCount=str(looks))
        connected.advance(10)


def test_an_address_that_cannot_be_read_fails_at_once_and_says_so(
    connected: Any, make_activity: Any, make_object: Any, field_of: Any
) -> None:
    ready = make_object("Ready", type="S3KeyExists", s3Key="bucket/x", maximumRetries="0", **ROLE)
    pipeline = connected.run(make_activity("A", precondition=">Ready"), ready)
    connected.await_statuses(pipeline, Ready="FAILED", A="CASCADE_FAILED")
    assert "is not an S3 address" in field_of(connected.instance(pipeline, "Ready"), "errorMessage")


def test_what_is_no_region_is_said_and_asked_again(
    connected: Any, make_activity: Any, make_object: Any, field_of: Any
) -> None:
    ready = make_object("Ready", type="DynamoDBTableExists", tableName="t", region="US East", **ROLE)
    pipeline = connected.run(make_activity("A", precondition=">Ready"), ready)
    connected.await_fields(pipeline, "Ready", currentRetryCount="1")
    assert "the DynamoDB table t" in field_of(connected.instance(pipeline, "Ready"), "errorMessage")


def test_a_service_without_endpoints_says_so_and_calls_nobody(
    start_service: Any, make_activity: Any, make_object: Any, field_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    service = start_service()
    ready = make_object("Ready", type="S3KeyExists", s3Key="s3://b/x", maximumRetries="0", **ROLE)
    pipeline = service.run(make_activity("A", precondition=">Ready"), ready)
    service.await_statuses(pipeline, Ready="FAILED")
    assert "--aws-endpoint" in field_of(service.instance(pipeline, "Ready"), "errorMessage")


def test_a_store_that_does_not_answer_keeps_nobody_waiting_and_is_asked_again(
    start_service: Any, make_activity: Any, make_object: Any, field_of: Any
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        service = start_service("--aws-endpoint", f"http://127.0.0.1:{silent.getsockname()[1]}")
        pipelines = [
            service.run(
                make_activity("A", precondition=">Ready"),
                make_object("Ready", type="S3KeyExists", s3Key="s3://b/x", **ROLE),
            )
            for _ in range(6)
        ]
        service.await_statuses(pipelines[0], Ready="RUNNING")
        other = service.run(make_activity("Free"))
        service.finish(service.take())
        assert service.state(other) == "FINISHED"
        service.kill()
    service.start()
    service.await_fields(pipelines[0], "Ready", currentRetryCount="1")
    guard = service.instance(pipelines[0], "Ready")
    assert field_of(guard, "@status") == "RUNNING"
    assert field_of(guard, "errorId") == "StoreUnreachable"


def test_a_killed_service_goes_on_looking(
    start_service: Any,
    make_activity: Any,
    make_object: Any,
    field_of: Any,
    s3_client: Any,
    s3_bucket: str,
    aws_environment: str,
) -> None:
    service = start_service("--aws-endpoint", aws_environment)
    ready = make_object(
        "Ready", type="S3KeyExists", s3Key=f"s3://{s3_bucket}/x", preconditionTimeout="3 minutes", **ROLE
    )
    late = make_object("Late", type="S3KeyExists", s3Key=f"s3://{s3_bucket}/y", preconditionTimeout="3 minutes", **ROLE)
    pipeline = service.run(
        make_activity("A", precondition=">Ready"), make_activity("B", precondition=">Late"), ready, late
    )
    service.kill_and_restart()
    service.await_fields(pipeline, "Ready", currentRetryCount="1")
    service.kill_and_restart()
    s3_client.put_object(Bucket=s3_bucket, Key="x", Body=b"")
    service.advance(60)
    service.await_statuses(pipeline, Ready="FINISHED", A="WAITING_FOR_RUNNER")
    service.kill_and_restart()
    service.advance(120)
    service.await_statuses(pipeline, Late="FAILED", B="CASCADE_FAILED")


def test_a_look_that_outlasts_a_pause_is_followed_by_another(
    start_service: Any, make_activity: Any, make_object: Any
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        service = start_service("--aws-endpoint", f"http://127.0.0.1:{silent.getsockname()[1]}")
        pipeline = service.run(
            make_activity("A", precondition=">Ready"),
            make_object("Ready", type="S3KeyExists", s3Key="s3://b/x", **ROLE),
        )
        service.await_statuses(pipeline, Ready="RUNNING")
        client, _ = silent.accept()
        service.client.set_status(pipelineId=pipeline, objectIds=["Ready"], status="PAUSE")
        assert service.statuses(pipeline)["Ready"] == "PAUSED"
        service.client.set_status(pipelineId=pipeline, objectIds=["Ready"], status="RESUME")
        client.close()
    service.await_fields(pipeline, "Ready", currentRetryCount="1")


def test_one_precondition_guards_several_objects_each_with_its_own_instance(
    connected: Any, make_activity: Any, make_object: Any, field_of: Any, s3_client: Any, s3_bucket: str
) -> None:
    ready = make_object("Ready", type="S3KeyExists", s3Key=f"s3://{s3_bucket}/#{{node.myKey}}", **ROLE)
    s3_client.put_object(Bucket=s3_bucket, Key="a", Body=b"")
    pipeline = connected.run(
        make_activity("A", precondition=">Ready", myKey="a"),
        make_activity("B", precondition=">Ready", myKey="b"),
        ready,
    )
    connected.await_statuses(pipeline, A="WAITING_FOR_RUNNER", B="WAITING_ON_DEPENDENCIES")
    query = {"selectors": [{"fieldName": "@componentParent", "operator": {"type": "REF_EQ", "values": ["Ready"]}}]}
    guards = connected.describe(pipeline, *connected.ids(pipeline, "INSTANCE", query=query))
    owners = {field_of(connected.describe(pipeline, field_of(each, "node"))[0], "@componentParent") for each in guards}
    assert owners == {"A", "B"}
