"""What moto's services hold outlives the server, however it ends."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from core.errors import SandboxError
from sandbox.parts.moto import MotoPart


class KilledServer:
    """A server of S3 and its kin that can be killed and started again."""

    def __init__(self, directory: Path) -> None:
        self.part = MotoPart(directory)
        self.client = functools.cache(self._client)

    def _client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.part.endpoint,
            region_name="us-east-1",
            aws_access_key_id="AKIASANDBOXSANDBOX00",
            aws_secret_access_key="secret",
            config=Config(retries={"total_max_attempts": 1}),
        )

    def kill_and_start(self) -> None:
        process = self.part.process()
        assert process
        process.kill()
        self.part.stop()
        self.part.start()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[KilledServer]:
    server = KilledServer(tmp_path / "aws")
    server.part.start()
    yield server
    server.part.stop()


AWKWARD_KEYS = [
    "plain",
    "a/b/c",
    "a b+c%2F",
    "ü/naïve 🦆",
    "//double//slash",
    "trailing/",
    "q?x=1&y",
    "dots/../x",
    "100%",
]


def test_objects_with_any_name_come_back_after_a_kill(server: KilledServer) -> None:
    s3 = server.client("s3")
    s3.create_bucket(Bucket="kept")
    for key in AWKWARD_KEYS:
        s3.put_object(Bucket="kept", Key=key, Body=key.encode(), Metadata={"of": "a key"})
    before = s3.list_objects_v2(Bucket="kept")["Contents"]
    server.kill_and_start()
    s3 = server.client("s3")
    assert s3.list_objects_v2(Bucket="kept")["Contents"] == before
    for key in AWKWARD_KEYS:
        answer = s3.get_object(Bucket="kept", Key=key)
        assert (answer["Body"].read(), answer["Metadata"]) == (key.encode(), {"of": "a key"})


def test_deleted_and_replaced_objects_stay_so_after_a_kill(server: KilledServer) -> None:
    s3 = server.client("s3")
    s3.create_bucket(Bucket="kept")
    s3.create_bucket(Bucket="gone")
    for key in ("replaced", "deleted", "batch/1", "batch/2", "stays"):
        s3.put_object(Bucket="kept", Key=key, Body=b"first")
    s3.put_object(Bucket="kept", Key="replaced", Body=b"second")
    s3.delete_object(Bucket="kept", Key="deleted")
    s3.delete_objects(Bucket="kept", Delete={"Objects": [{"Key": "batch/1"}, {"Key": "batch/2"}]})
    s3.copy_object(Bucket="kept", Key="copy", CopySource={"Bucket": "kept", "Key": "stays"})
    s3.put_object_tagging(Bucket="kept", Key="copy", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    s3.delete_bucket(Bucket="gone")
    server.kill_and_start()
    s3 = server.client("s3")
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["kept"]
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket="kept")["Contents"]] == ["copy", "replaced", "stays"]
    assert s3.get_object(Bucket="kept", Key="replaced")["Body"].read() == b"second"
    assert s3.get_object_tagging(Bucket="kept", Key="copy")["TagSet"] == [{"Key": "k", "Value": "v"}]


def test_versions_and_uploads_in_parts_come_back_after_a_kill(server: KilledServer) -> None:
    s3 = server.client("s3")
    s3.create_bucket(Bucket="kept")
    s3.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket="kept", Key="k", Body=b"first")["VersionId"]
    s3.put_object(Bucket="kept", Key="k", Body=b"second")
    s3.delete_object(Bucket="kept", Key="k")
    upload = s3.create_multipart_upload(Bucket="kept", Key="big")["UploadId"]
    parts = [b"a" * 5 * 1024 * 1024, b"b"]
    tags = [
        s3.upload_part(Bucket="kept", Key="big", UploadId=upload, PartNumber=number, Body=part)["ETag"]
        for number, part in enumerate(parts, 1)
    ]
    chosen = {"Parts": [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(tags, 1)]}
    etag = s3.complete_multipart_upload(Bucket="kept", Key="big", UploadId=upload, MultipartUpload=chosen)["ETag"]
    server.kill_and_start()
    s3 = server.client("s3")
    assert s3.get_object(Bucket="kept", Key="k", VersionId=first)["Body"].read() == b"first"
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket="kept", Key="k")
    big = s3.get_object(Bucket="kept", Key="big")
    assert (big["ETag"], big["Body"].read()) == (etag, b"".join(parts))


TABLE = {
    "TableName": "kept",
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "n", "KeyType": "RANGE"}],
    "AttributeDefinitions": [
        {"AttributeName": "id", "AttributeType": "S"},
        {"AttributeName": "n", "AttributeType": "N"},
    ],
    "ProvisionedThroughput": {"ReadCapacityUnits": 7, "WriteCapacityUnits": 5},
}


def test_tables_and_their_items_come_back_after_a_kill_as_each_kind_of_write_left_them(server: KilledServer) -> None:
    dynamodb = server.client("dynamodb")
    dynamodb.create_table(**TABLE)
    dynamodb.create_table(**{**TABLE, "TableName": "gone"})
    put = [{"PutRequest": {"Item": {"id": {"S": "a"}, "n": {"N": str(n)}, "b": {"B": b"\0\xff"}}}} for n in range(20)]
    dynamodb.batch_write_item(RequestItems={"kept": put})
    key = {"id": {"S": "a"}, "n": {"N": "3"}}
    count = {"UpdateExpression": "ADD visits :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
    dynamodb.update_item(TableName="kept", Key=key, **count)
    dynamodb.put_item(TableName="gone", Item=key)
    dynamodb.delete_table(TableName="gone")
    server.kill_and_start()
    dynamodb = server.client("dynamodb")
    dynamodb.update_item(TableName="kept", Key=key, **count)
    dynamodb.delete_item(TableName="kept", Key={"id": {"S": "a"}, "n": {"N": "4"}})
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        dynamodb.put_item(TableName="kept", Item=key, ConditionExpression="attribute_not_exists(id)")
    described, before = dynamodb.describe_table(TableName="kept")["Table"], dynamodb.scan(TableName="kept")["Items"]
    server.kill_and_start()
    dynamodb = server.client("dynamodb")
    assert dynamodb.list_tables()["TableNames"] == ["kept"]
    assert dynamodb.describe_table(TableName="kept")["Table"] == described
    assert dynamodb.scan(TableName="kept")["Items"] == before
    assert len(before) == 19
    assert dynamodb.get_item(TableName="kept", Key=key)["Item"]["visits"] == {"N": "2"}


def test_items_are_not_written_twice_after_the_tables_were_written_anew(server: KilledServer) -> None:
    dynamodb, key = server.client("dynamodb"), {"id": {"S": "a"}, "n": {"N": "3"}}
    dynamodb.create_table(**TABLE)
    count = {"UpdateExpression": "ADD visits :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
    dynamodb.update_item(TableName="kept", Key=key, **count)
    dynamodb.create_table(**{**TABLE, "TableName": "another"})
    dynamodb.update_item(TableName="kept", Key=key, **count)
    server.kill_and_start()
    assert server.client("dynamodb").get_item(TableName="kept", Key=key)["Item"]["visits"] == {"N": "2"}


def test_messages_secrets_parameters_and_log_events_come_back_after_a_kill(server: KilledServer) -> None:
    topic = server.client("sns").create_topic(Name="failures")["TopicArn"]
    queue = server.client("sqs").create_queue(QueueName="inbox")["QueueUrl"]
    inbox = "arn:aws:sqs:us-east-1:123456789012:inbox"
    server.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=inbox)
    server.client("sns").publish(TopicArn=topic, Message="before")
    server.client("secretsmanager").create_secret(Name="password", SecretString="s3cret")
    server.client("ssm").put_parameter(
        Name="/a/b", Value="hidden", Type="SecureString", Tags=[{"Key": "k", "Value": "v"}]
    )
    logs, now = server.client("logs"), int(time.time() * 1000)
    logs.create_log_group(logGroupName="group")
    logs.create_log_stream(logGroupName="group", logStreamName="stream")
    place = {"logGroupName": "group", "logStreamName": "stream"}
    for number in range(3):
        logs.put_log_events(**place, logEvents=[{"timestamp": now + number, "message": f"line {number}"}])
    server.kill_and_start()
    server.client("sns").publish(TopicArn=topic, Message="after")
    messages = server.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert [json.loads(message["Body"])["Message"] for message in messages] == ["before", "after"]
    assert server.client("secretsmanager").get_secret_value(SecretId="password")["SecretString"] == "s3cret"
    parameter = server.client("ssm").get_parameter(Name="/a/b", WithDecryption=True)["Parameter"]
    assert parameter["Value"] == "hidden"
    tags = server.client("ssm").list_tags_for_resource(ResourceType="Parameter", ResourceId="/a/b")["TagList"]
    assert tags == [{"Key": "k", "Value": "v"}]
    server.client("logs").put_log_events(**place, logEvents=[{"timestamp": now + 3, "message": "line 3"}])
    events = server.client("logs").filter_log_events(logGroupName="group")["events"]
    assert [event["message"] for event in events] == [f"line {number}" for number in range(4)]
    assert len({event["eventId"] for event in events}) == 4


def test_a_second_kill_keeps_what_came_after_the_first(server: KilledServer) -> None:
    s3 = server.client("s3")
    s3.create_bucket(Bucket="kept")
    for body in (b"1", b"2", b"3"):
        s3 = server.client("s3")
        s3.put_object(Bucket="kept", Key=body.decode(), Body=body)
        server.kill_and_start()
    keys = [entry["Key"] for entry in server.client("s3").list_objects_v2(Bucket="kept")["Contents"]]
    assert keys == ["1", "2", "3"]


def test_the_state_of_another_moto_is_refused_by_name(server: KilledServer) -> None:
    server.part.stop()
    (server.part.directory / "state" / "moto.version").write_text("1.0")
    with pytest.raises(SandboxError, match=r"was written by moto 1\.0"):
        server.part.start()


def test_instances_and_clusters_are_known_after_a_kill(server: KilledServer) -> None:
    login = {"MasterUsername": "me", "MasterUserPassword": "Passw0rd-of-7"}
    size = {"DBInstanceClass": "db.t3.micro", "AllocatedStorage": 20}
    server.client("rds").create_db_instance(DBInstanceIdentifier="shop", Engine="mysql", **login, **size)
    server.client("redshift").create_cluster(ClusterIdentifier="house", DBName="dev", NodeType="ra3.large", **login)
    server.kill_and_start()
    [instance] = server.client("rds").describe_db_instances(DBInstanceIdentifier="shop")["DBInstances"]
    [cluster] = server.client("redshift").describe_clusters(ClusterIdentifier="house")["Clusters"]
    assert (instance["MasterUsername"], cluster["DBName"]) == ("me", "dev")
