"""Exists: of S3 by the agent itself, of tables by a child of it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from tests.acceptance.sql_activity.conftest import target, target_of  # noqa: F401  # fixtures
from tests.faults.preconditions.conftest import Served, launch
from tests.faults.preconditions.service import PreconditionService
from tests.faults.preconditions.test_waiting import status_of
from tests.integration.agent.conftest import eventually


@pytest.fixture(scope="module")
def served(aws_server, tmp_path_factory) -> Iterator[Served]:
    """An agent that takes tasks from a service of the test's and reads the S3 of the session."""
    service = PreconditionService()
    variables = {**aws_server.client_environment(), "AWS_ENDPOINT_URL_DATA_PIPELINE": service.endpoint}
    agent = launch(service, tmp_path_factory.mktemp("exists"), "--tasks=4", **variables)
    yield Served(service, agent)
    agent.stop()
    service.close()


def describe(service, name, fields):
    """Let the service have this object; a value ``{"ref": id}`` is a reference."""
    given = [
        {"key": key, **({"refValue": value["ref"]} if isinstance(value, dict) else {"stringValue": value})}
        for key, value in fields.items()
        if key != "id"
    ]
    service.objects[name] = {"id": name, "name": name, "fields": given}


def look(served, node, references=(), **fields):
    """Hand out an Exists of this data node; return its task."""
    name = f"Look{secrets.token_hex(4)}"
    for entry in (*references, {"id": f"{name}Node", **node}):
        describe(served.service, entry["id"], entry)
    given = {"retryDelay": "0 seconds", "preconditionTimeout": "1 second", **fields}
    return served.service.hand_out("Exists", name, {"node": f"{name}Node"}, **given)


def patience(there):
    """What is there is found however busy the machine is; what is not is looked for at least once."""
    return "1 minute" if there else "3 seconds"


def test_a_file_in_s3_is_waited_for(served, s3_client, s3_bucket):
    uri = f"s3://{s3_bucket}/in/a.csv"
    s3_client.put_object(Bucket=s3_bucket, Key="in/a.csv.part", Body=b"x")
    node = {"type": "S3DataNode", "filePath": uri}
    task = look(served, node, preconditionTimeout="1 minute")
    eventually(lambda: "currentRetryCount" in served.service.reports[task], "an evaluation")
    assert task not in served.service.told
    s3_client.put_object(Bucket=s3_bucket, Key="in/a.csv", Body=b"")
    assert status_of(served.service, task)["taskStatus"] == "FINISHED"
    [log] = served.agent.output.glob(f"logs/df-1/{task.removeprefix('task-')}/*/*/StdOutput")
    assert log.read_text().endswith(f"{uri} is there\n")


@pytest.mark.parametrize(
    ("key", "path", "status"),
    [
        ("dir/part-1", "dir", "FINISHED"),
        ("dir/", "dir/", "FINISHED"),
        ("dir2/part-1", "dir", "FALSE"),
        ("deep/er/x", "deep", "FINISHED"),
    ],
)
def test_a_directory_in_s3_is_there_when_anything_is_below_it(served, s3_client, s3_bucket, key, path, status):
    s3_client.put_object(Bucket=s3_bucket, Key=key, Body=b"x")
    node = {"type": "S3DataNode", "directoryPath": f"s3://{s3_bucket}/{path}"}
    task = look(served, node, preconditionTimeout=patience(status == "FINISHED"))
    assert status_of(served.service, task)["taskStatus"] == status


@pytest.mark.parametrize("there", [True, False])
def test_a_table_of_a_database_is_looked_for(served, target, there):  # noqa: F811  # the fixture
    if there:
        target.sql("create table Wanted (a int)")
    kind = {"mysql": "MySqlDataNode", "postgres": "SqlDataNode", "redshift": "RedshiftDataNode"}[target.engine]
    table = {"tableName": "Wanted"} if kind == "RedshiftDataNode" else {"table": "Wanted"}
    base = f"Db{secrets.token_hex(4)}"
    node = {"type": kind, "database": {"ref": base}, **table}
    task = look(served, node, [{**target.database(), "id": base}], preconditionTimeout=patience(there))
    status = status_of(served.service, task)
    assert status["taskStatus"] == ("FINISHED" if there else "FALSE"), status
    if not there:
        assert "the table Wanted of" in status["errorMessage"]
        assert target.address.password not in json.dumps(status)


@pytest.mark.parametrize("there", [True, False])
def test_a_dynamodb_table_is_looked_for(served, aws_environment, there):
    name = f"table-{secrets.token_hex(4)}"
    if there:
        key = {"AttributeName": "id"}
        boto3.client("dynamodb").create_table(
            TableName=name,
            KeySchema=[{**key, "KeyType": "HASH"}],
            AttributeDefinitions=[{**key, "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    task = look(served, {"type": "DynamoDBDataNode", "tableName": name}, preconditionTimeout=patience(there))
    assert status_of(served.service, task)["taskStatus"] == ("FINISHED" if there else "FALSE")


@pytest.mark.parametrize(
    ("node", "words"),
    [
        ({"type": "ShellCommandActivity", "command": "true"}, "of type 'ShellCommandActivity'; Exists knows: Dynamo"),
        ({"type": "S3DataNode"}, "'filePath' or 'directoryPath'; it has neither"),
        ({"type": "SqlDataNode", "database": {"ref": "None"}, "table": "t"}, "'None'"),
    ],
)
def test_what_cannot_be_looked_for_is_a_failure(served, node: dict[str, Any], words):
    status = status_of(served.service, look(served, node))
    assert (status["taskStatus"], status["errorId"]) == ("FAILED", "TaskMalformed")
    assert words in status["errorMessage"]


def test_one_that_belongs_to_no_data_node_is_a_failure(served):
    status = status_of(served.service, served.service.hand_out("Exists", "Alone"))
    assert "Alone has no 'node'" in status["errorMessage"]


def test_a_database_that_is_not_reached_is_asked_again_and_a_failure_at_last(served):
    base = {"id": "Gone", "type": "JdbcDatabase", "username": "u", "*password": "none-of-yours"}
    base["connectionString"] = "jdbc:postgresql://127.0.0.1:1/db"
    node = {"type": "SqlDataNode", "database": {"ref": "Gone"}, "table": "t"}
    status = status_of(served.service, look(served, node, [base], preconditionTimeout="3 seconds"))
    assert (status["taskStatus"], status["errorId"]) == ("FAILED", "StoreUnreachable")
    assert "evaluated" in status["errorMessage"]
