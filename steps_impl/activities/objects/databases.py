"""Databases: where they are and as whom, as a definition says it.

Source: Developer Guide, *RdsDatabase*, *RedshiftDatabase*, *JdbcDatabase*. The password is ``*password``; services may
deliver it as ``password`` too.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AliasChoices, Field, SecretStr

from steps_impl.activities.objects.base import PipelineObject, Several

PASSWORD_ALIASES = AliasChoices("*password", "password")


class _Database(PipelineObject):
    username: str = Field(description="who logs in")
    password: SecretStr = Field(alias="*password", validation_alias=PASSWORD_ALIASES, description="of the user")
    database_name: str | None = Field(default=None, description="the database to log in to")
    jdbc_properties: Several[str] = Field(default=(), description="`name=value`, once per property")
    jdbc_driver_jar_uri: str | None = Field(default=None, description="of the Java driver; not used here")
    region: str | None = Field(default=None, description="where the instance or cluster is")


class RdsDatabase(_Database):
    """A database on an RDS instance."""

    type: Literal["RdsDatabase"] = "RdsDatabase"
    rds_instance_id: str = Field(description="DB instance identifier")


class RedshiftDatabase(_Database):
    """A database on a Redshift cluster."""

    type: Literal["RedshiftDatabase"] = "RedshiftDatabase"
    cluster_id: str | None = Field(default=None, description="cluster identifier; or `connectionString`")
    connection_string: str | None = Field(default=None, description="JDBC address of the cluster")


class JdbcDatabase(_Database):
    """A database by its JDBC address."""

    type: Literal["JdbcDatabase"] = "JdbcDatabase"
    connection_string: str = Field(description="JDBC address")
    jdbc_driver_class: str | None = Field(default=None, description="class of the Java driver")


Database = Annotated[RdsDatabase | RedshiftDatabase | JdbcDatabase, Field(discriminator="type")]
