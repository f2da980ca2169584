"""S3, SNS, CloudWatch Logs and the databases of the configuration."""

from __future__ import annotations

import json
import secrets
import socket

import boto3
import pytest


def settings_of(database, *more):
    """A section of the configuration; ``more`` says under which key the database's name goes."""
    address = {"host": database.host, "port": database.port, "username": database.username}
    return {**address, "password": database.password, **dict.fromkeys(more, database.database)}


@pytest.fixture
def topic(aws_environment):
    client = boto3.client("sns")
    yield client.create_topic(Name=f"doctor-{secrets.token_hex(4)}")["TopicArn"]
    client.close()


@pytest.fixture
def queue(topic):
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    address = sqs.create_queue(QueueName=topic.rpartition(":")[2])["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=address, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    def read():
        return [json.loads(entry["Body"]) for entry in sqs.receive_message(QueueUrl=address).get("Messages", [])]

    yield read
    sns.close()
    sqs.close()


def test_all_stores_of_a_configuration_are_looked_at(
    doctor, s3_client, s3_bucket, topic, queue, mysql_database, postgres_database, redshift_database
):
    doctor.configure(
        agent={"log_uri": f"s3://{s3_bucket}/logs"},
        etl={"s3_etl_bucket": s3_bucket, "s3_base_path": "base", "sns_topic_arn_failure": topic},
        mysql={"learning": settings_of(mysql_database, "database")},
        postgres=settings_of(postgres_database, "database_name"),
        redshift=settings_of(redshift_database, "database_name"),
    )
    report = doctor.examine()
    assert report.status == 0, report.text
    assert [finding["status"] for finding in report.of("s3")] == ["ok", "ok"]
    assert report.one("redshift")["status"] == "ok"
    for check in ("mysql", "postgres"):
        assert "no table can be read" in report.one(check)["message"]  # these databases are empty
    assert report.one("sns")["status"] == report.one("cloudwatch")["status"] == "ok"
    assert s3_client.list_objects_v2(Bucket=s3_bucket)["KeyCount"] == 0
    assert queue() == []
    for database in (mysql_database, postgres_database, redshift_database):
        assert database.password not in report.text


def test_a_line_reaches_the_log_group(doctor):
    assert doctor.examine().one("cloudwatch")["status"] == "ok"
    client = boto3.client("logs")
    name = {"logGroupName": f"/ductrunner/{doctor.group}", "logStreamName": f"doctor/{socket.gethostname()}"}
    events = client.get_log_events(**name)["events"]
    client.close()
    assert [event["message"] for event in events] == ["ductrunner doctor"]


def test_a_bucket_that_is_not_there_is_told(doctor):
    doctor.configure(agent={"log_uri": "s3://no-such-bucket-here/logs"})
    report = doctor.examine()
    assert report.status == 1
    assert "there is no bucket no-such-bucket-here" in report.one("s3")["message"]


def test_a_place_that_is_denied_is_told_with_its_statement(doctor, http_server):
    def deny(handler, body):
        content = b"<Error><Code>AccessDenied</Code></Error>"
        handler.send_response(403)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    doctor.configure(agent={"log_uri": "s3://their-logs/etl"})
    finding = doctor.examine(AWS_ENDPOINT_URL_S3=http_server(deny)).one("s3")
    assert finding["status"] == "failed"
    assert finding["statement"]["Resource"] == "arn:aws:s3:::their-logs/*"
    assert "kms:GenerateDataKey" in finding["advice"]


def test_a_topic_that_is_not_there_is_told_and_one_that_is_gets_a_message_only_when_asked_for(doctor, topic, queue):
    doctor.configure(alerts={"topic": f"{topic}-none"}, etl={"sns_topic_arn_failure": topic})
    statuses = {finding["message"]: finding["status"] for finding in doctor.examine().of("sns")}
    assert statuses == {f"there is no topic {topic}-none": "failed", f"{topic} can be published to": "ok"}
    assert queue() == []
    doctor.examine("--send-test")
    [message] = queue()
    assert message["Subject"] == "Ductrunner: a test"


def test_a_password_that_is_refused_is_told_and_not_shown(doctor, postgres_database, mysql_database):
    wrong = {"password": "surely-not-this-one"}
    doctor.configure(
        postgres={**settings_of(postgres_database, "database_name"), **wrong},
        mysql={"learning": {**settings_of(mysql_database), **wrong}},
    )
    report = doctor.examine()
    assert report.status == 1
    assert "refused; check postgres.username and postgres.password" in report.one("postgres")["message"]
    assert "learning: MySQL" in report.one("mysql")["message"]
    assert "surely-not-this-one" not in report.text


def test_a_closed_port_and_a_secret_that_cannot_be_read_are_told_by_name(doctor):
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = server.getsockname()[1]
    doctor.configure(
        mysql={"learning": {"host": "127.0.0.1", "port": closed, "username": "etl"}},
        redshift={
            "host": "127.0.0.1",
            "port": closed,
            "database_name": "dw",
            "username": "etl",
            "password": "secretsmanager:prod/warehouse#password",
        },
    )
    report = doctor.examine()
    assert f"127.0.0.1:{closed}" in report.one("mysql")["message"]
    assert "read the secret prod/warehouse" in report.one("redshift")["message"]


@pytest.mark.parametrize(("release", "status"), [("99.1.0", "warning"), ("0.0.1", "ok")])
def test_a_newer_release_is_told(doctor, s3_client, s3_bucket, release, status):
    s3_client.put_object(Bucket=s3_bucket, Key=f"releases/ductrunner-{release}-py3-none-any.whl", Body=b"")
    doctor.configure(bootstrap={"releases": f"s3://{s3_bucket}/releases"})
    finding = doctor.examine().one("release")
    assert finding["status"] == status
    assert release in finding["message"] or status == "ok"
