"""RDS instances and Redshift clusters found by their ids, through real calls to moto."""

from __future__ import annotations

import secrets

import boto3
import pytest

from core.errors import NotFound, ParameterError, UnsupportedDatabase
from steps_impl.activities.objects.databases import RdsDatabase, RedshiftDatabase
from steps_impl.activities.objects.nodes import MySqlDataNode, SqlDataNode
from steps_impl.activities.servers.resolve import resolve, resolve_node

LOGIN = {"username": "me", "*password": "a-password-of-7"}


def make_instance(engine: str, region: str = "us-east-1") -> str:
    name = f"db-{secrets.token_hex(4)}"
    boto3.client("rds", region_name=region).create_db_instance(
        DBInstanceIdentifier=name,
        Engine=engine,
        DBInstanceClass="db.t3.micro",
        MasterUsername="me",
        MasterUserPassword="a-password-of-7",
        AllocatedStorage=20,
        DBName="shop",
        Port=3309,
    )
    return name


@pytest.mark.parametrize(("engine", "ours"), [("mysql", "mysql"), ("postgres", "postgres")])
def test_an_rds_instance_is_found_by_its_id(aws_environment, engine, ours):
    name = make_instance(engine)
    server = resolve(RdsDatabase.model_validate({"rdsInstanceId": name, **LOGIN}))
    assert (server.engine, server.port, server.database, server.username) == (ours, 3309, "shop", "me")
    assert server.host.startswith(name)
    assert server.password.get_secret_value() == "a-password-of-7"


def test_the_database_and_the_region_of_the_definition_count(aws_environment):
    name = make_instance("mysql", "eu-west-1")
    given = {"rdsInstanceId": name, "databaseName": "other", "region": "eu-west-1", **LOGIN}
    assert resolve(RdsDatabase.model_validate(given)).database == "other"


def test_an_instance_with_another_engine_is_refused_by_name(aws_environment):
    with pytest.raises(UnsupportedDatabase, match="oracle-ee"):
        resolve(RdsDatabase.model_validate({"rdsInstanceId": make_instance("oracle-ee"), **LOGIN}))


def test_an_instance_or_cluster_that_is_not_there_is_told_by_its_id(aws_environment):
    with pytest.raises(NotFound, match="nowhere"):
        resolve(RdsDatabase.model_validate({"rdsInstanceId": "nowhere", **LOGIN}))
    with pytest.raises(NotFound, match="nowhere"):
        resolve(RedshiftDatabase.model_validate({"clusterId": "nowhere", **LOGIN}))


def test_a_redshift_cluster_is_found_by_its_id(aws_environment):
    name = f"c-{secrets.token_hex(4)}"
    boto3.client("redshift").create_cluster(
        ClusterIdentifier=name,
        NodeType="ra3.xlplus",
        MasterUsername="me",
        MasterUserPassword="Geheim12345",
        DBName="dev",
        Port=5440,
    )
    server = resolve(RedshiftDatabase.model_validate({"clusterId": name, **LOGIN}))
    assert (server.engine, server.port, server.database) == ("redshift", 5440, "dev")
    assert name in server.host


@pytest.mark.parametrize("scheme", ["postgresql", "redshift"])
def test_the_address_of_a_cluster_is_redshifts_in_either_form(scheme):
    given = {"connectionString": f"jdbc:{scheme}://c.example.com/dev", **LOGIN}
    server = resolve(RedshiftDatabase.model_validate(given))
    assert (server.engine, server.port) == ("redshift", 5439)


def test_a_cluster_needs_an_id_or_an_address():
    with pytest.raises(ParameterError, match="neither clusterId nor connectionString"):
        resolve(RedshiftDatabase.model_validate(LOGIN))


def test_a_node_may_hold_its_address_itself():
    node = {"table": "t", "connectionString": "mysql://h:3307/shop", "username": "me", "*password": "a-password-of-7"}
    server = resolve_node(MySqlDataNode.model_validate({"type": "MySqlDataNode", **node}))
    assert (server.engine, server.host, server.port, server.database) == ("mysql", "h", 3307, "shop")
    with pytest.raises(ParameterError, match="neither database nor connectionString"):
        resolve_node(SqlDataNode.model_validate({"id": "N", "table": "t"}))
