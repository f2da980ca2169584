"""IAM instead of passwords: tokens for RDS, temporary credentials for Redshift, against servers that take them down."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from pydantic import ValidationError

from core.errors import AccessDenied, NotFound, SettingsError, StoreUnreachable
from core.redaction import REDACTOR
from core.sections.databases import MySqlHost, PostgresSettings, RedshiftSettings
from stores import mysql, postgres, redshift
from stores.mysql.session import connect_session
from stores.mysql.target import connect as connect_target
from tests.integration.logins.refusing import RefusingMySql, RefusingPostgres


@pytest.fixture
def postgres_taking_down(tmp_path: Path) -> Iterator[RefusingPostgres]:
    server = RefusingPostgres(tmp_path)
    yield server
    server.stop()


@pytest.fixture
def mysql_taking_down(tmp_path: Path) -> Iterator[RefusingMySql]:
    server = RefusingMySql(tmp_path)
    yield server
    server.stop()


def check_token(token: str, place: str, user: str, region: str) -> None:
    """The token is what *Connecting to your DB instance using IAM authentication* shows."""
    address = urlsplit(f"https://{token}")
    asked = parse_qs(address.query)
    assert (address.netloc, asked["Action"], asked["DBUser"]) == (place, ["connect"], [user])
    assert asked["X-Amz-Expires"] == ["900"]
    assert asked["X-Amz-Credential"][0].split("/")[2:4] == [region, "rds-db"]
    assert len(asked["X-Amz-Signature"][0]) == 64


def test_postgres_is_given_a_token_signed_for_host_port_user_and_region(
    postgres_taking_down: RefusingPostgres, aws_environment: str
) -> None:
    settings = PostgresSettings(
        host="127.0.0.1",
        port=postgres_taking_down.port,
        database_name="d",
        username="etl",
        authentication="iam",
        region="eu-west-1",
    )
    with pytest.raises(AccessDenied) as caught:
        postgres.connect(settings, retries=0)
    user, token = postgres_taking_down.logins[0]
    assert user == "etl"
    check_token(token, f"127.0.0.1:{postgres_taking_down.port}", "etl", "eu-west-1")
    assert token not in str(caught.value)
    assert token not in REDACTOR.redact(f"a driver that prints {token}")


@pytest.mark.parametrize("way", ["read", "write", "session"])
def test_mysql_is_given_the_token_in_clear_text_over_tls(
    mysql_taking_down: RefusingMySql, aws_environment: str, way: str
) -> None:
    host = MySqlHost(
        host="127.0.0.1", port=mysql_taking_down.port, username="etl", authentication="iam", region="us-east-2"
    )
    ways = {"read": mysql.connect, "write": connect_target}
    with pytest.raises(AccessDenied):
        ways[way](host, retries=0) if way in ways else connect_session(host, retries=0)
    user, token = mysql_taking_down.logins[0]
    assert user == "etl"
    check_token(token, f"127.0.0.1:{mysql_taking_down.port}", "etl", "us-east-2")


def test_a_token_never_goes_to_postgres_without_tls(tmp_path: Path, aws_environment: str) -> None:
    server = RefusingPostgres(tmp_path, tls=False)
    settings = {"host": "127.0.0.1", "port": server.port, "username": "etl", "authentication": "iam"}
    with pytest.raises(StoreUnreachable):
        postgres.connect(PostgresSettings.model_validate({**settings, "database_name": "d"}), retries=0)
    server.stop()
    assert server.logins == []


def test_a_token_never_goes_to_mysql_without_tls(tmp_path: Path, aws_environment: str) -> None:
    server = RefusingMySql(tmp_path, tls=False)
    settings = {"host": "127.0.0.1", "port": server.port, "username": "etl", "authentication": "iam"}
    with pytest.raises(StoreUnreachable):
        mysql.connect(MySqlHost.model_validate(settings), retries=0)
    server.stop()
    assert server.logins == []


def test_tls_switched_off_and_iam_do_not_go_together() -> None:
    with pytest.raises(ValidationError, match="a token goes over TLS only"):
        MySqlHost(host="h", username="u", authentication="iam", ssl_mode="disable")


def test_the_region_is_read_from_the_name_of_an_rds_host(aws_environment: str) -> None:
    from stores.logins.iam import database_token

    host = MySqlHost(host="db.c0ffee.ap-southeast-2.rds.amazonaws.com", username="etl", authentication="iam")
    check_token(database_token(host), "db.c0ffee.ap-southeast-2.rds.amazonaws.com:3306", "etl", "ap-southeast-2")


def warehouse(server: RefusingPostgres, **settings: object) -> RedshiftSettings:
    place = {"host": "127.0.0.1", "port": server.port, "database_name": "dev", "username": "etl"}
    return RedshiftSettings.model_validate({**place, "authentication": "iam", **settings})


def test_redshift_is_given_temporary_credentials_of_its_cluster_and_new_ones_after_a_refusal(
    postgres_taking_down: RefusingPostgres, aws_environment: str
) -> None:
    options = {"NodeType": "ra3.large", "MasterUsername": "admin", "MasterUserPassword": "Passw0rd!"}
    boto3.client("redshift").create_cluster(ClusterIdentifier="house", DBName="dev", **options)
    with pytest.raises(AccessDenied) as caught:
        redshift.connect(warehouse(postgres_taking_down, cluster_identifier="house"), retries=0)
    (user, first), (_, second) = postgres_taking_down.logins
    assert user == "IAM:etl"
    assert first != second
    assert first not in str(caught.value)
    assert first not in REDACTOR.redact(f"printed {first}")


def test_a_cluster_that_is_not_there_is_told_by_name(
    postgres_taking_down: RefusingPostgres, aws_environment: str
) -> None:
    with pytest.raises(NotFound, match="get temporary credentials for etl at the cluster nowhere"):
        redshift.connect(warehouse(postgres_taking_down, cluster_identifier="nowhere"), retries=0)


def test_temporary_credentials_without_a_cluster_or_workgroup_are_a_fault_of_the_settings(
    postgres_taking_down: RefusingPostgres, aws_environment: str
) -> None:
    with pytest.raises(SettingsError, match=r"redshift\.cluster_identifier, or redshift\.workgroup_name"):
        redshift.connect(warehouse(postgres_taking_down), retries=0)
