"""RDS instances and Redshift clusters by their ids: real servers behind the names, real logins."""

from __future__ import annotations

import json
import secrets
import subprocess
from pathlib import Path
from typing import Any

import boto3
import psycopg2
import pymysql
import pytest
import yaml

from tests.conftest import RunningSandbox, run_ductrunner


def client(sandbox: RunningSandbox, service: str) -> Any:
    variables = sandbox.environment
    return boto3.client(
        service,
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        region_name="us-east-1",
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
    )


def make_instance(sandbox: RunningSandbox, engine: str) -> dict[str, Any]:
    name = f"db-{secrets.token_hex(4)}"
    made = client(sandbox, "rds").create_db_instance(
        DBInstanceIdentifier=name,
        Engine=engine,
        DBInstanceClass="db.t3.micro",
        MasterUsername=f"user{name[3:]}",
        MasterUserPassword="a-password-of-7",
        AllocatedStorage=20,
        DBName=f"shop{name[3:]}",
    )
    instance: dict[str, Any] = made["DBInstance"]
    return instance


def test_an_rds_instance_leads_to_a_real_mysql_that_lets_its_master_user_in(sandbox: RunningSandbox) -> None:
    made = make_instance(sandbox, "mysql")
    to, user, name = made["Endpoint"], made["MasterUsername"], made["DBName"]
    with (
        pymysql.connect(
            host=to["Address"], port=to["Port"], user=user, password="a-password-of-7", database=name
        ) as link,
        link.cursor() as cursor,
    ):
        cursor.execute("CREATE TABLE goods (id INT)")


def test_an_rds_instance_leads_to_a_real_postgres_that_lets_its_master_user_in(sandbox: RunningSandbox) -> None:
    made = make_instance(sandbox, "postgres")
    to, user, name = made["Endpoint"], made["MasterUsername"], made["DBName"]
    link = psycopg2.connect(host=to["Address"], port=to["Port"], user=user, password="a-password-of-7", dbname=name)
    with link, link.cursor() as cursor:
        cursor.execute("CREATE TABLE goods (id INT)")
    link.close()


@pytest.fixture
def cluster(sandbox: RunningSandbox) -> dict[str, Any]:
    name = f"house-{secrets.token_hex(4)}"
    made = client(sandbox, "redshift").create_cluster(
        ClusterIdentifier=name,
        DBName=f"dev{name[6:]}",
        NodeType="ra3.large",
        MasterUsername=f"etl{name[6:]}",
        MasterUserPassword="Passw0rd-of-7",
    )
    found: dict[str, Any] = made["Cluster"]
    return found


def step(
    sandbox: RunningSandbox, cluster: dict[str, Any], tmp_path: Any, **login: Any
) -> subprocess.CompletedProcess[str]:
    to = cluster["Endpoint"]
    place = {"host": to["Address"], "port": to["Port"], "database_name": cluster["DBName"]}
    configuration = tmp_path / "ductrunner.yaml"
    configuration.write_text(yaml.safe_dump({"redshift": {**place, "ssl_mode": "prefer", **login}}), encoding="utf-8")
    variables = {**sandbox.environment, "DUCTRUNNER_CONFIG": str(configuration)}
    words = ("--command", "CREATE TABLE mine (id INT); INSERT INTO mine VALUES (1)")
    return run_ductrunner("step", "sql-command", *words, environment=variables)


def test_a_cluster_leads_to_the_front_that_lets_its_master_user_in(
    sandbox: RunningSandbox, cluster: dict[str, Any], tmp_path: Any
) -> None:
    done = step(sandbox, cluster, tmp_path, username=cluster["MasterUsername"], password="Passw0rd-of-7")
    assert done.returncode == 0, done.stderr


def test_temporary_credentials_of_a_cluster_let_in_as_their_user_for_a_while(
    sandbox: RunningSandbox, cluster: dict[str, Any]
) -> None:
    asked = client(sandbox, "redshift").get_cluster_credentials(
        DbUser=cluster["MasterUsername"], ClusterIdentifier=cluster["ClusterIdentifier"], DurationSeconds=900
    )
    assert asked["DbUser"] == f"IAM:{cluster['MasterUsername']}"
    to = cluster["Endpoint"]
    place = {"host": to["Address"], "port": to["Port"], "dbname": cluster["DBName"]}
    link = psycopg2.connect(user=asked["DbUser"], password=asked["DbPassword"], **place)
    with link, link.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == (cluster["MasterUsername"],)
    link.close()
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(user=asked["DbUser"], password="guessed", **place)


def test_temporary_credentials_go_over_tls_to_a_front_whose_certificate_is_checked(
    sandbox: RunningSandbox, cluster: dict[str, Any], tmp_path: Any
) -> None:
    configured = yaml.safe_load(Path(sandbox.environment["DUCTRUNNER_CONFIG"]).read_text(encoding="utf-8"))
    login = {"authentication": "iam", "cluster_identifier": cluster["ClusterIdentifier"], "region": "us-east-1"}
    tls = {"ssl_mode": "verify-full", "ssl_ca": configured["redshift"]["ssl_ca"]}
    done = step(sandbox, cluster, tmp_path, username=cluster["MasterUsername"], **login, **tls)
    assert done.returncode == 0, done.stderr


def test_a_definition_that_names_ids_alone_runs_unchanged(
    sandbox: RunningSandbox, cluster: dict[str, Any], tmp_path: Any
) -> None:
    objects = [
        {"id": "Default", "scheduleType": "ondemand", "pipelineLogUri": "s3://ductrunner-sandbox/logs"},
        {
            "id": "House",
            "type": "RedshiftDatabase",
            "clusterId": cluster["ClusterIdentifier"],
            "databaseName": cluster["DBName"],
            "username": cluster["MasterUsername"],
            "*password": "Passw0rd-of-7",
        },
        {
            "id": "Sql",
            "type": "SqlActivity",
            "database": {"ref": "House"},
            "script": "CREATE TABLE by_id (id INT); INSERT INTO by_id VALUES (7);",
            "workerGroup": "g",
        },
    ]
    path = tmp_path / "by-ids.json"
    path.write_text(json.dumps({"objects": objects}), encoding="utf-8")
    done = sandbox.ductrunner("pipeline", "run", str(path), "--output", str(tmp_path / "out"))
    assert done.returncode == 0, done.stdout + done.stderr
    to = cluster["Endpoint"]
    login = {"user": cluster["MasterUsername"], "password": "Passw0rd-of-7", "dbname": cluster["DBName"]}
    link = psycopg2.connect(host=to["Address"], port=to["Port"], **login)
    with link, link.cursor() as cursor:
        cursor.execute("SELECT id FROM by_id")
        assert cursor.fetchall() == [(7,)]
    link.close()
