"""Messages, and waiting for objects and rows, against real services."""

from __future__ import annotations

import os
import threading

import psycopg2
import pymysql
import pytest
import yaml
from pydantic import ValidationError

from core.errors import DataNotThere, NotFound, ParameterError, StoreError
from steps_impl.contract import StepContext
from steps_impl.registry import load_step
from tests.integration.control.conftest import Looks, run_step


def test_a_message_is_published(topic):
    run_step("notify", message="the load is done", subject="Load", sns_topic_arn=topic.arn)
    [message] = topic.messages()
    assert (message["Subject"], message["Message"]) == ("Load", "the load is done")


def test_a_message_without_a_topic_is_refused(aws_environment):
    with pytest.raises(ParameterError, match="no topic"):
        run_step("notify", message="hello")


def test_it_waits_for_objects_and_folders(s3_client, s3_bucket):
    file, folder = f"s3://{s3_bucket}/a/_SUCCESS", f"s3://{s3_bucket}/b/"
    keys = {1: "a/_SUCCESS", 2: "b/part-0"}
    looks = Looks(lambda number: s3_client.put_object(Bucket=s3_bucket, Key=keys[number], Body=b""))
    run_step("wait-for-data", looks, s3_uri=(file, folder), refresh_rate=0.01)
    assert looks.phases == [f"waits for {file}, {folder}", f"waits for {folder}"]


def test_an_object_with_a_longer_name_is_not_the_awaited_one(s3_client, s3_bucket):
    s3_client.put_object(Bucket=s3_bucket, Key="a/_SUCCESS.tmp", Body=b"")
    with pytest.raises(DataNotThere, match="_SUCCESS"):
        run_step("wait-for-data", s3_uri=(f"s3://{s3_bucket}/a/_SUCCESS",), refresh_rate=0.01, timeout=0.05)


def test_a_bucket_that_is_not_there_is_not_waited_for(aws_environment):
    with pytest.raises(NotFound, match="no-such-bucket"):
        run_step("wait-for-data", s3_uri=("s3://no-such-bucket/a",), refresh_rate=0.01, timeout=0.05)


@pytest.fixture
def configured(request, tmp_path, monkeypatch, aws_environment):
    """A maker of a configuration with one host; returns a function that runs SQL there."""

    def configure(host):
        kind = "mysql" if host == "shop" else host
        address = request.getfixturevalue(f"{kind}_database")
        entry = {"HOST": address.host, "PORT": address.port, "USERNAME": address.username, "PASSWORD": address.password}
        section = {"shop": entry | {"DATABASE": address.database}} if kind == "mysql" else entry
        section = section if kind == "mysql" else section | {"DATABASE_NAME": address.database}
        config = tmp_path / "ductrunner.yaml"
        config.write_text(yaml.safe_dump({kind: section}))
        monkeypatch.setenv("DUCTRUNNER_CONFIG", str(config))
        login = {"host": address.host, "port": address.port, "user": address.username, "password": address.password}

        def sql(statement):
            module = pymysql if kind == "mysql" else psycopg2
            link = module.connect(**login, **{"database" if kind == "mysql" else "dbname": address.database})
            link.cursor().execute(statement)
            link.commit()
            link.close()

        return sql

    return configure


@pytest.mark.parametrize("host", ["shop", "postgres", "redshift"])
def test_it_waits_for_a_row_of_a_query(configured, host):
    sql = configured(host)
    sql("create table loads (day int)")
    looks = Looks(lambda number: sql("insert into loads values (7)") if number == 2 else None)
    query = "select count(*) > 0 from loads where day = 7 -- done?"
    run_step("wait-for-data", looks, sql=query, host_name=host, refresh_rate=0.01)
    assert looks.phases == [f"waits for a row on {host}"] * 2


@pytest.mark.parametrize("host", ["shop", "postgres", "redshift"])
def test_zero_with_digits_behind_the_point_is_not_there_yet(configured, host):
    configured(host)
    with pytest.raises(DataNotThere):
        run_step("wait-for-data", sql="select sum(0.00) as n", host_name=host, timeout=0.01)


def test_a_query_of_the_warehouse_runs_in_the_database_that_is_named(configured):
    configured("redshift")
    with pytest.raises(StoreError, match="no_such_database"):
        run_step("wait-for-data", sql="select 1", host_name="redshift", database="no_such_database")


def test_a_wait_that_is_cancelled_breaks_its_query_off(configured):
    configured("postgres")
    step, cancelled = load_step("wait-for-data"), threading.Event()
    parameters = step.parameters.model_validate({"sql": "select pg_sleep(60) is null", "host_name": "postgres"})
    threading.Timer(0.3, cancelled.set).start()
    with pytest.raises(StoreError, match="canceling statement due to user request"):
        step.run(parameters, StepContext(Looks(), cancelled, dict(os.environ)))


def test_a_host_that_is_not_configured_is_refused_with_those_that_are(configured):
    configured("shop")
    with pytest.raises(ParameterError, match=r"no host 'other'.*shop"):
        run_step("wait-for-data", sql="select 1", host_name="other")


def test_nothing_to_wait_for_is_refused():
    with pytest.raises(ValidationError, match="nothing to wait for"):
        run_step("wait-for-data")
    with pytest.raises(ValidationError, match="go together"):
        run_step("wait-for-data", sql="select 1")
